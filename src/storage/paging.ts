import type { Sql } from "./database.ts";

/** A paging key: an event's clamped depth, then its arrival. */
export interface PagingKey {
  depth: number;
  arrival: number;
}

/** The largest paging key among a room's events up to a position. */
export async function findLastKeyUpTo(
  sql: Sql,
  roomNid: number,
  position: number,
): Promise<PagingKey | undefined> {
  const [row] = await sql<PagingKey[]>`
    select depth, arrival from events
    where room_nid = ${roomNid} and arrival is not null and (position is null or position <= ${position})
    order by depth desc, arrival desc limit 1`;
  return row;
}

/** The smallest paging key among a room's events after a position. */
export async function findFirstKeyAfter(
  sql: Sql,
  roomNid: number,
  position: number,
): Promise<PagingKey | undefined> {
  const [row] = await sql<PagingKey[]>`
    with later as materialized (
      select depth, arrival from events where room_nid = ${roomNid} and position > ${position}
    )
    select depth, arrival from later order by depth, arrival limit 1`;
  return row;
}

/** The position of the last event of the stream at or before a paging key. */
export async function findPositionAt(
  sql: Sql,
  roomNid: number,
  { depth, arrival }: PagingKey,
): Promise<number | undefined> {
  const [row] = await sql<{ position: number }[]>`
    select position from events
    where room_nid = ${roomNid} and arrival is not null and (depth, arrival) <= (${depth}, ${arrival})
      and position is not null
    order by depth desc, arrival desc limit 1`;
  return row?.position;
}
