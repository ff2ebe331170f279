import type { Sql } from "./database.ts";
import { unescapeText } from "./json-text.ts";
import type { Sealed } from "./write.ts";

export interface ReceiptRow {
  roomNid: number;
  userId: string;
  receiptType: string;
  thread: string;
  eventId: string;
  receiptTs: number;
}

/** Public receipts of everyone and the user's own private ones, news since each room's `after`. */
export async function listReceipts(
  sql: Sql,
  rooms: readonly { roomNid: number; after: number }[],
  userId: string,
  upTo: number,
): Promise<ReceiptRow[]> {
  if (rooms.length === 0) return [];
  return sql<ReceiptRow[]>`
    select x.room_nid, x.user_id, x.receipt_type, x.thread, x.event_id, x.receipt_ts
    from unnest(${rooms.map((r) => r.roomNid)}::bigint[], ${rooms.map((r) => r.after)}::bigint[])
      as r(room_nid, after_position)
    join receipts x on x.room_nid = r.room_nid and x.position > r.after_position and x.position <= ${upTo}
    where x.receipt_type = 'm.read' or (x.receipt_type = 'm.read.private' and x.user_id = ${userId})`;
}

export type AccountDataRow = {
  roomNid: number;
  type: string;
  position: number;
  keyId: number;
  sealed: Uint8Array | null;
};

/** Account data that changed after `after`: global (room 0) and of rooms. */
export async function listChangedAccountData(
  sql: Sql,
  userId: string,
  after: number,
  upTo: number,
): Promise<AccountDataRow[]> {
  const rows = await sql<AccountDataRow[]>`
    select room_nid, type, position, key_id, sealed from account_data
    where user_id = ${userId} and position > ${after} and position <= ${upTo}
    order by position`;
  return rows.map(withPlainType);
}

/** All account data of rooms that are new to the client. */
export async function listRoomAccountData(
  sql: Sql,
  userId: string,
  roomNids: readonly number[],
): Promise<AccountDataRow[]> {
  if (roomNids.length === 0) return [];
  const rows = await sql<AccountDataRow[]>`
    select room_nid, type, position, key_id, sealed from account_data
    where user_id = ${userId} and room_nid = any(${roomNids as number[]}::bigint[])
    order by position`;
  return rows.map(withPlainType);
}

const withPlainType = (row: AccountDataRow): AccountDataRow => ({
  ...row,
  type: unescapeText(row.type),
});

/** Rooms whose typing changed after a mark of each. */
export async function listTypingRooms(
  sql: Sql,
  rooms: readonly { roomNid: number; afterMark: number }[],
): Promise<number[]> {
  if (rooms.length === 0) return [];
  const rows = await sql<{ roomNid: number }[]>`
    select distinct t.room_nid
    from unnest(${rooms.map((r) => r.roomNid)}::bigint[], ${rooms.map((r) => r.afterMark)}::bigint[])
      as r(room_nid, after_mark)
    join typing t on t.room_nid = r.room_nid and t.mark > r.after_mark`;
  return rows.map(({ roomNid }) => roomNid);
}

/** The same among all rooms that the user has joined. */
export async function listTypingRoomsOf(
  sql: Sql,
  userId: string,
  afterMark: number,
): Promise<number[]> {
  const rows = await sql<{ roomNid: number }[]>`
    select distinct t.room_nid from typing t
    join memberships m on m.room_nid = t.room_nid and m.user_id = ${userId} and m.membership = 'join'
    where t.mark > ${afterMark}`;
  return rows.map(({ roomNid }) => roomNid);
}

/** The members who type. */
export async function listTyping(
  sql: Sql,
  roomNids: readonly number[],
  nowTs: number,
): Promise<{ roomNid: number; userId: string }[]> {
  if (roomNids.length === 0) return [];
  return sql<{ roomNid: number; userId: string }[]>`
    select room_nid, user_id from typing join memberships using (room_nid, user_id)
    where room_nid = any(${roomNids as number[]}::bigint[]) and expires_ts > ${nowTs} and membership = 'join'
    order by user_id`;
}

export type ToDeviceRow = { position: number; ordinal: number } & Sealed;

export async function listToDevice(
  sql: Sql,
  userId: string,
  deviceId: string,
  range: { after: number; upTo: number; limit: number },
): Promise<ToDeviceRow[]> {
  return sql<ToDeviceRow[]>`
    select position, ordinal, key_id, sealed from to_device
    where user_id = ${userId} and device_id = ${deviceId}
      and position > ${range.after} and position <= ${range.upTo}
    order by position, ordinal limit ${range.limit}`;
}

/** The client came back with a token that says it has these. */
export async function deleteToDevice(
  sql: Sql,
  userId: string,
  deviceId: string,
  upTo: number,
): Promise<void> {
  await sql`
    delete from to_device where user_id = ${userId} and device_id = ${deviceId} and position <= ${upTo}`;
}

export async function countOneTimeKeys(
  sql: Sql,
  userId: string,
  deviceId: string,
): Promise<{ algorithm: string; count: number }[]> {
  return sql<{ algorithm: string; count: number }[]>`
    select algorithm, count(*) as count from one_time_keys
    where user_id = ${userId} and device_id = ${deviceId} group by algorithm`;
}

export async function listUnusedFallbackAlgorithms(
  sql: Sql,
  userId: string,
  deviceId: string,
): Promise<string[]> {
  const rows = await sql<{ algorithm: string }[]>`
    select algorithm from fallback_keys
    where user_id = ${userId} and device_id = ${deviceId} and not is_used order by algorithm`;
  return rows.map(({ algorithm }) => algorithm);
}

export interface PresenceRow {
  userId: string;
  state: string;
  statusKey: number;
  statusSealed: Uint8Array | null;
  lastActiveTs: number;
  mark: number;
}

/**
 * Presence of those who share a room with the user, changed after the mark; of
 * who came into a room, or is in one that the user joined, whenever it changed.
 * @param rooms all that the user has joined, and those in which something happened since
 */
export async function listPresence(
  sql: Sql,
  userId: string,
  rooms: {
    joined: readonly number[];
    newlyJoined: readonly number[];
    changed: readonly number[];
  },
  after: { mark: number; position: number },
): Promise<PresenceRow[]> {
  const joined = rooms.joined as number[];
  const told =
    after.mark === 0
      ? sql`
        select ${userId} as user_id
        union select m.user_id from memberships m
        where m.membership = 'join' and m.room_nid = any(${joined}::bigint[])`
      : sql`
        select p.user_id from presence p
        where p.mark > ${after.mark} and (p.user_id = ${userId} or exists (
          select from memberships m where m.user_id = p.user_id and m.membership = 'join'
            and m.room_nid = any(${joined}::bigint[])))
        union select m.user_id from memberships m
        where m.membership = 'join' and m.room_nid = any(${rooms.newlyJoined as number[]}::bigint[])
        union select m.user_id from memberships m
        where m.membership = 'join' and m.room_nid = any(${rooms.changed as number[]}::bigint[])
          and m.position > ${after.position}`;
  return sql<PresenceRow[]>`
    with told as (${told})
    select p.user_id, p.state, p.status_key, p.status_sealed, p.last_active_ts, p.mark
    from told join presence p on p.user_id = told.user_id where p.mark > 0`;
}
