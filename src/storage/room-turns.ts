import type { Sql } from "./database.ts";

/**
 * Keeps other writers out of a room for a tenth of a second, or until the holder
 * has committed; nothing happens where it is another's turn.
 */
export async function takeTurn(
  sql: Sql,
  roomNid: number,
  holder: string,
): Promise<void> {
  await sql`
    insert into room_turns as t (room_nid, holder, expires_ts)
    values (${roomNid}, ${holder}, clock_timestamp() + interval '100 ms')
    on conflict (room_nid) do update set holder = excluded.holder, expires_ts = excluded.expires_ts
      where t.expires_ts < clock_timestamp() or t.holder = excluded.holder`;
}
