import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";
import type { PersonalRow } from "./personal-rows.ts";

export interface HoldRow {
  holdId: string;
  name: string;
  caseId: string;
  reason: string;
  /** Null for all. */
  userIds: string[] | null;
  roomIds: string[] | null;
  fromTs: number | null;
  untilTs: number | null;
  createdBy: string;
  createdTs: number;
  releasedBy: string | null;
  releasedTs: number | null;
  releaseReason: string | null;
}

const columns = (sql: Sql) => sql`
  hold_id, name, case_id, reason, user_ids, room_ids, from_ts, until_ts, created_by, created_ts,
  released_by, released_ts, release_reason`;

export interface HoldSearch {
  /** Null for both. */
  isReleased: boolean | null;
  offset: number;
  limit: number;
  isDescending: boolean;
}

/** A page of the holds, and how many there are in all. */
export async function listHolds(
  sql: Sql,
  { isReleased, offset, limit, isDescending }: HoldSearch,
): Promise<{ holds: HoldRow[]; total: number }> {
  const matching = sql`
    (${isReleased}::boolean is null or (released_ts is not null) = ${isReleased})`;
  const order = isDescending ? sql`desc` : sql`asc`;
  const holds = await sql<HoldRow[]>`
    select ${columns(sql)} from holds where ${matching}
    order by created_ts ${order}, hold_id ${order} limit ${limit} offset ${offset}`;
  const [counted] = await sql<{ total: number }[]>`
    select count(*)::int as total from holds where ${matching}`;
  return { holds, total: counted!.total };
}

export async function findHold(
  sql: Sql,
  holdId: string,
): Promise<HoldRow | undefined> {
  const [row] = await sql<HoldRow[]>`
    select ${columns(sql)} from holds where hold_id = ${holdId}`;
  return row;
}

export interface HeldEventRow {
  roomId: string;
  eventId: string;
  receivedTs: number;
  isRedacted: boolean;
  skeleton: string;
  firstKey: number | null;
  secondKey: number | null;
  sealed: Uint8Array | null;
}

/** How far a hold's events were read; what the parts of a room are is told by `list_held`. */
export interface HeldPlace {
  roomNid: number;
  part: number;
  ts: number;
  nid: number;
}

const FIRST_PLACE: HeldPlace = { roomNid: 0, part: 0, ts: -1, nid: 0 };

/** Events and rooms that one page looks at: somebody may have said little where others say much. */
const MOST_LOOKED_AT = 20_000;

interface ListedRow extends HeldPlace, HeldEventRow {
  isHeld: boolean;
}

/**
 * The next events that a hold is of, room by room, with what they said at first; and from
 * where to read on, which there may be where none are found.
 */
export async function listHeldEvents(
  sql: Sql,
  holdId: string,
  after: HeldPlace = FIRST_PLACE,
  limit: number,
  mostLookedAt = MOST_LOOKED_AT,
): Promise<{ events: HeldEventRow[]; next: HeldPlace | undefined }> {
  const { roomNid, part, ts, nid } = after;
  const rows = await sql<ListedRow[]>`
    select l.room_nid, l.part, l.ts, l.nid, l.is_held,
      (select room_id from rooms r where r.room_nid = l.room_nid) as room_id, e.event_id, e.received_ts,
      e.redacted_by is not null as is_redacted, e.skeleton,
      coalesce(k.first_key, c.first_key) as first_key, coalesce(k.second_key, c.second_key) as second_key,
      coalesce(k.sealed, c.sealed) as sealed
    from list_held(${holdId}, ${roomNid}, ${part}, ${ts}, ${nid}, ${limit}, ${mostLookedAt}) with ordinality
      as l(room_nid, part, ts, nid, is_held, place)
    left join events e on l.is_held and e.nid = l.nid
    left join held_contents k on k.nid = e.nid
    left join event_contents c on c.nid = e.nid
    order by l.place`;
  const events = rows.filter(({ isHeld }) => isHeld);
  const last = rows.at(-1);
  const isMore = last && (!last.isHeld || events.length === limit);
  return { events, next: isMore ? last : undefined };
}

export interface HeldDataRow {
  heldId: number;
  userId: string;
  source: string;
  /** The other columns of the row that it was. */
  place: PersonalRow;
  keptTs: number;
  keyId: number;
  sealed: Uint8Array;
}

/** The next of what was deleted or overwritten of what held users have besides events and files. */
export async function listHeldData(
  sql: Sql,
  holdId: string,
  after: number,
  limit: number,
): Promise<HeldDataRow[]> {
  const rows = await sql<(Omit<HeldDataRow, "place"> & { place: string })[]>`
    select held_id, user_id, source, place::text as place, kept_ts, key_id, sealed from held_data
    where hold_id = ${holdId} and held_id > ${after}::bigint order by held_id limit ${limit}`;
  return rows.map((row) => ({
    ...row,
    place: JSON.parse(row.place) as PersonalRow,
  }));
}

/** A condition that is true, and is had before any row: no hold begins until the transaction ends. */
export const againstHolds = (sql: Sql) => sql`
  (select count(*) from (select lock_against_holds()) as locked) = 1`;

/** Whether a room may have anything that is held. */
export async function hasHeld(sql: Sql, roomNid: number): Promise<boolean> {
  const [row] = await sql<{ isHeld: boolean }[]>`
    select has_held(${roomNid}::bigint) as is_held`;
  return row!.isHeld;
}

/** Those of these that are held. */
export async function listHeldMedia(
  sql: Sql,
  mediaIds: readonly string[],
): Promise<string[]> {
  const rows = await sql<{ mediaId: string }[]>`
    select media_id from media
    where media_id = any(${mediaIds as string[]}::text[]) and is_media_held(media_id)`;
  return rows.map(({ mediaId }) => mediaId);
}

/** Settles what was kept for holds that were released, unless another one is of it; answers how much. */
export async function destroyReleased(
  sql: Sql,
  lease: Lease,
  limit: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    with held as materialized (${heldLease(sql, lease)})
    select coalesce((select destroy_released(${limit}::bigint) from held), 0) as count`;
  return row!.count;
}

/** The numbers of rooms that are known here. */
export const listRoomNids = (
  sql: Sql,
  roomIds: readonly string[],
): Promise<{ roomId: string; roomNid: number }[]> => sql<
  { roomId: string; roomNid: number }[]
>`
  select room_id, room_nid from rooms where room_id = any(${roomIds as string[]}::text[])`;
