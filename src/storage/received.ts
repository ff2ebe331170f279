import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";

/** A forward extremity and the snapshot after it. */
export interface ExtremityRow {
  nid: number;
  eventId: string;
  position: number;
  snapshotId: number;
}

/** All of them, however many: `findRoomHead` has the newest 20. */
export async function listExtremities(
  sql: Sql,
  roomNid: number,
): Promise<ExtremityRow[]> {
  return sql<ExtremityRow[]>`
    select e.nid, e.event_id, e.position, coalesce(e.snapshot_after, e.snapshot_id) as snapshot_id
    from forward_extremities f join events e on e.nid = f.nid
    where f.room_nid = ${roomNid}`;
}

/**
 * Events by id, in whatever room they are: for judging what another server
 * cites, never for showing them.
 */
export async function listEventHeadsAnywhere(
  sql: Sql,
  eventIds: readonly string[],
): Promise<EventHead[]> {
  if (eventIds.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e where e.event_id = any(${eventIds as string[]}::text[])`;
}

/** What a reader of snapshots has to know of each. */
export interface SnapshotHead {
  snapshotId: number;
  hops: number;
  size: number;
  hash: Uint8Array;
}

export async function listSnapshotHeads(
  sql: Sql,
  snapshotIds: readonly number[],
): Promise<SnapshotHead[]> {
  if (snapshotIds.length === 0) return [];
  return sql<SnapshotHead[]>`
    select snapshot_id, hops, size, hash from state_snapshots
    where snapshot_id = any(${snapshotIds as number[]}::bigint[])`;
}

/** The snapshots of a room that have one of these hashes, the nearest to a full one of each. */
export async function listSnapshotsByHash(
  sql: Sql,
  roomNid: number,
  hashes: readonly Uint8Array[],
): Promise<Pick<SnapshotHead, "snapshotId" | "hops" | "hash">[]> {
  if (hashes.length === 0) return [];
  const hex = hashes.map((hash) => Buffer.from(hash).toString("hex"));
  return sql<Pick<SnapshotHead, "snapshotId" | "hops" | "hash">[]>`
    select distinct on (hash) snapshot_id, hops, hash from state_snapshots
    where room_nid = ${roomNid} and hash = any(
      array(select decode(h, 'hex') from unnest(${hex}::text[]) as h))
    order by hash, hops`;
}

/**
 * The auth chains of events, themselves included, in one walk. Skeletons begin
 * with their auth events; what a stranger wrote to confuse the cut is missing
 * here, and the caller, who reads the events, asks again.
 */
export async function listAuthChainHeads(
  sql: Sql,
  roomNid: number,
  eventIds: readonly string[],
): Promise<EventHead[]> {
  if (eventIds.length === 0) return [];
  return sql<EventHead[]>`
    with recursive chain as (
      select nid, split_part(skeleton, '],"content":', 1) as auth_events from events
      where event_id = any(${eventIds as string[]}::text[]) and room_nid = ${roomNid}
      union
      select e.nid, split_part(e.skeleton, '],"content":', 1)
      from chain c
      cross join lateral regexp_matches(c.auth_events, '"(\\$[^"\\\\]+)"', 'g') as cited
      join events e on e.event_id = cited[1] and e.room_nid = ${roomNid}
    )
    select ${eventHead(sql)} from chain join events e using (nid)`;
}

/** Rejected and soft-failed events that arrived after a position, oldest first. */
export async function listFailedHeads(
  sql: Sql,
  roomNid: number,
  after: number,
  limit: number,
): Promise<EventHead[]> {
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = ${roomNid} and e.position > ${after} and e.status <> 0
    order by e.position limit ${limit}`;
}

/** Accepted redactions of events, also of those that are not here yet. */
export async function listRedactionHeads(
  sql: Sql,
  roomNid: number,
  eventIds: readonly string[],
): Promise<EventHead[]> {
  if (eventIds.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = ${roomNid} and e.redacts = any(${eventIds as string[]}::text[])
      and e.type = 'm.room.redaction' and e.status = 0 and e.position is not null
    order by e.position`;
}
