import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";

export interface RedactableSearch {
  roomNid: number;
  sender: string;
  /** A position of the stream. */
  before: number;
  /** So many events of the room are passed over at the most. */
  lookedAt: number;
  limit: number;
  afterTs: number | null;
  beforeTs: number | null;
}

/**
 * What a user has said in a room and nobody has redacted, the newest first: messages, and
 * how they showed. `reached` tells where to look on; null where there is nothing more.
 */
export async function listRedactableOf(
  sql: Sql,
  search: RedactableSearch,
): Promise<{ events: EventHead[]; reached: number | null }> {
  const { roomNid, sender, before, lookedAt, limit } = search;
  const { afterTs, beforeTs } = search;
  const [window] = await sql<{ first: number | null; count: number }[]>`
    select min(position) as first, count(*) as count from (
      select position from events where room_nid = ${roomNid} and position < ${before}
      order by position desc limit ${lookedAt}) looked`;
  const { first, count } = window!;
  if (first === null) return { events: [], reached: null };
  const events = await sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = ${roomNid} and e.position >= ${first} and e.position < ${before}
      and e.sender = ${sender} and e.status = 0 and e.redacted_by is null
      and (e.state_key is null and e.type <> 'm.room.redaction'
        or e.type = 'm.room.member' and e.state_key = ${sender})
      and (${afterTs}::bigint is null or e.origin_server_ts >= ${afterTs})
      and (${beforeTs}::bigint is null or e.origin_server_ts <= ${beforeTs})
    order by e.position desc limit ${limit}`;
  const last = events.at(-1);
  if (last && events.length === limit)
    return { events, reached: last.position };
  return { events, reached: count < lookedAt ? null : first };
}
