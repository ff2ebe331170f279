import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export interface BackedUpKey {
  roomId: string;
  sessionId: string;
  firstMessageIndex: number;
  forwardedCount: number;
  isVerified: boolean;
}

export type BackedUpKeyRow = BackedUpKey & Sealed;

/** What an account may keep in its backups. */
export interface BackupQuota {
  keys: number;
  bytes: number;
}

export type BackUpOutcome =
  | { status: "stored"; etag: number; count: number }
  /** The newest version is another one; null where there is no backup. */
  | { status: "wrong-version"; current: number | null }
  | { status: "full" }
  /** The key that sealed them was destroyed. */
  | { status: "key" };

/** Puts keys, sealed under one key, into the newest backup; where it has better ones, those stay. */
export async function backUpKeys(
  sql: Sql,
  backup: { userId: string; version: number; keyId: number },
  keys: readonly (BackedUpKey & { sealed: Uint8Array })[],
  quota: BackupQuota,
): Promise<BackUpOutcome> {
  const { userId, version, keyId } = backup;
  const [row] = await sql<{ outcome: BackUpOutcome }[]>`
    select back_up_keys(${userId}, ${version},
      ${keys.map((key) => key.roomId)}::text[], ${keys.map((key) => key.sessionId)}::text[],
      ${keys.map((key) => key.firstMessageIndex)}::bigint[], ${keys.map((key) => key.forwardedCount)}::bigint[],
      ${keys.map((key) => String(key.isVerified))}::text[]::boolean[], ${keyId},
      ${keys.map(({ sealed }) => hexOf(sealed))}::text[]::bytea[],
      ${quota.keys}, ${quota.bytes}) as outcome`;
  return row!.outcome;
}

/** The driver takes no arrays of bytes. */
const hexOf = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;

/** Which keys of a backup: of one session, of one room, or all. */
export interface KeyScope {
  roomId?: string;
  sessionId?: string;
}

/** Deletes some of the keys; `deleted` is `limit` where more may be left. Undefined where there is no such backup. */
export async function deleteBackedUpKeys(
  sql: Sql,
  userId: string,
  version: number,
  {
    roomId = null,
    sessionId = null,
  }: { [K in keyof KeyScope]?: string | null },
  limit: number,
): Promise<{ etag: number; count: number; deleted: number } | undefined> {
  const [row] = await sql<
    { outcome: { etag: number; count: number; deleted: number } | null }[]
  >`
    select delete_backed_up_keys(${userId}, ${version}, ${roomId}, ${sessionId}, ${limit}) as outcome`;
  return row?.outcome ?? undefined;
}

export async function findBackedUpKey(
  sql: Sql,
  userId: string,
  version: number,
  roomId: string,
  sessionId: string,
): Promise<BackedUpKeyRow | undefined> {
  const [row] = await sql<BackedUpKeyRow[]>`
    select room_id, session_id, first_message_index, forwarded_count, is_verified, key_id, sealed
    from backed_up_keys
    where user_id = ${userId} and version = ${version} and room_id = ${roomId} and session_id = ${sessionId}`;
  return row;
}

/** The next keys of a backup after one, by room and session; of one room where it is named. */
export async function listBackedUpKeys(
  sql: Sql,
  userId: string,
  version: number,
  range: {
    roomId: string | undefined;
    after: Pick<BackedUpKey, "roomId" | "sessionId"> | undefined;
    limit: number;
  },
): Promise<BackedUpKeyRow[]> {
  const { roomId, after, limit } = range;
  return sql<BackedUpKeyRow[]>`
    select room_id, session_id, first_message_index, forwarded_count, is_verified, key_id, sealed
    from backed_up_keys
    where user_id = ${userId} and version = ${version}
      ${roomId === undefined ? sql`` : sql`and room_id = ${roomId}`}
      ${after ? sql`and (room_id, session_id) > (${after.roomId}, ${after.sessionId})` : sql``}
    order by room_id, session_id limit ${limit}`;
}
