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
    values (${roomNid}, ${userId}, ${expiresTs}, nextval('ephemeral_marks'))
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
    update typing set expires_ts = 0, mark = nextval('ephemeral_marks')
    where room_nid = ${roomNid} and user_id = ${userId} and expires_ts = ${expiresTs}
    returning mark`;
  return row?.mark;
}
