import type { Sql } from "./database.ts";

/** Kept as long as a client may come back with a token that names it. */
const KEPT_DAYS = 180;

/** Keeps a set of rooms under its digest, and lets go of what its user used long ago. */
export async function keepWithheldRooms(
  sql: Sql,
  userId: string,
  digest: string,
  roomNids: readonly number[],
): Promise<void> {
  await sql`
    with old as (
      delete from withheld_rooms
      where user_id = ${userId} and digest <> ${digest} and used_ts < database_ms() - ${KEPT_DAYS} * 86400000::bigint
    )
    insert into withheld_rooms (user_id, digest, room_nids, used_ts)
    values (${userId}, ${digest}, ${roomNids as number[]}::bigint[], database_ms())
    on conflict (user_id, digest) do update set used_ts = excluded.used_ts`;
}

export async function findWithheldRooms(
  sql: Sql,
  userId: string,
  digest: string,
): Promise<number[] | undefined> {
  const [row] = await sql<{ roomNids: number[] }[]>`
    select room_nids from withheld_rooms where user_id = ${userId} and digest = ${digest}`;
  return row?.roomNids;
}
