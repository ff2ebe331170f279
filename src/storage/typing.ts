import type { Sql } from "./database.ts";

/** Sets until when a user types in a room (0: no more). Answers the mark of the change. */
export async function setTypingUntil(
  sql: Sql,
  roomNid: number,
  userId: string,
  expiresTs: number,
): Promise<number> {
  const [row] = await sql<{ mark: number }[]>`
    insert into typing (room_nid, user_id, expires_ts, mark)
    values (${roomNid}, ${userId}, ${expiresTs}, next_ephemeral_mark())
    on conflict (room_nid, user_id) do update set expires_ts = excluded.expires_ts, mark = excluded.mark
    returning mark`;
  return row!.mark;
}

/** Marks a typing that has come to its end; undefined where the user typed on, or stopped. */
export async function endTyping(
  sql: Sql,
  roomNid: number,
  userId: string,
  expiresTs: number,
): Promise<number | undefined> {
  const [row] = await sql<{ mark: number }[]>`
    update typing set expires_ts = 0, mark = next_ephemeral_mark()
    where room_nid = ${roomNid} and user_id = ${userId} and expires_ts = ${expiresTs}
    returning mark`;
  return row?.mark;
}

/** Ends typings whose time is over and that nobody has ended; a bounded number at a time. */
export async function endOverdueTyping(
  sql: Sql,
  before: number,
): Promise<{ roomNid: number; mark: number }[]> {
  return sql<{ roomNid: number; mark: number }[]>`
    with next as materialized (
      select next_ephemeral_mark() as mark
      where exists (select from typing where expires_ts > 0 and expires_ts < ${before})
    )
    update typing set expires_ts = 0, mark = next.mark from next
    where (room_nid, user_id) in (
      select room_nid, user_id from typing
      where (select mark from next) is not null and expires_ts > 0 and expires_ts < ${before}
      limit 500 for update skip locked)
    returning room_nid, next.mark`;
}
