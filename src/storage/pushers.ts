import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export type PusherKind = "http" | "email";

export interface PusherRow extends Sealed {
  pusherId: number;
  deviceId: string;
  keyHash: Uint8Array;
  kind: PusherKind;
  isEnabled: boolean;
}

/** A user's pushers, the oldest first; with a key, the one of that. */
export async function listPushers(
  sql: Sql,
  userId: string,
  keyHash?: Uint8Array,
): Promise<PusherRow[]> {
  return sql<PusherRow[]>`
    select pusher_id, device_id, key_hash, kind, is_enabled, key_id, sealed from pushers
    where user_id = ${userId} ${keyHash ? sql`and key_hash = ${keyHash}` : sql``}
    order by created_ts, pusher_id`;
}

/** Whether others have a pusher of this key. */
export async function hasOtherPusher(
  sql: Sql,
  userId: string,
  keyHash: Uint8Array,
): Promise<boolean> {
  const [row] = await sql`
    select from pushers where key_hash = ${keyHash} and user_id <> ${userId} limit 1`;
  return row !== undefined;
}

/** Who wants to be told of a room's events. */
export interface RoomPusherRow {
  roomNid: number;
  pusherId: number;
  userId: string;
  kind: PusherKind;
  shard: number;
  /** What came up to here is not for it. */
  since: number;
}

/** Pushers of those who have joined the rooms, with the later of joining and being set. */
export async function listRoomPushers(
  sql: Sql,
  roomNids: readonly number[],
  shards: readonly number[],
): Promise<RoomPusherRow[]> {
  if (roomNids.length === 0) return [];
  return sql<RoomPusherRow[]>`
    select m.room_nid, p.pusher_id, p.user_id, p.kind, p.shard, greatest(m.since_position, p.since_position) as since
    from memberships m join pushers p on p.user_id = m.user_id
    where m.room_nid = any(${roomNids as number[]}::bigint[]) and m.membership = 'join'
      and p.shard = any(${shards as number[]}::smallint[]) and p.is_enabled`;
}

/** Pushers of those who were invited by the given events, and still are. */
export async function listInvitedPushers(
  sql: Sql,
  nids: readonly number[],
  shards: readonly number[],
): Promise<(RoomPusherRow & { nid: number })[]> {
  if (nids.length === 0) return [];
  return sql<(RoomPusherRow & { nid: number })[]>`
    select m.nid, m.room_nid, p.pusher_id, p.user_id, p.kind, p.shard, p.since_position as since
    from events e join memberships m on m.room_nid = e.room_nid and m.nid = e.nid and m.membership = 'invite'
    join pushers p on p.user_id = m.user_id
    where e.nid = any(${nids as number[]}::bigint[])
      and p.shard = any(${shards as number[]}::smallint[]) and p.is_enabled`;
}

/** Where the first pusher of each shard begins; shards without pushers are left out. */
export async function listFirstPushers(
  sql: Sql,
  shards: readonly number[],
): Promise<Map<number, number>> {
  const rows = await sql<{ shard: number; since: number }[]>`
    select shard, min(since_position) as since from pushers
    where shard = any(${shards as number[]}::smallint[]) group by shard`;
  return new Map(rows.map(({ shard, since }) => [shard, since]));
}

export async function deleteMailPusher(
  sql: Sql,
  pusherId: number,
): Promise<void> {
  await sql`delete from pushers where pusher_id = ${pusherId} and kind = 'email'`;
}
