import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

/** A medium with the blob that it leads to, and with one of its thumbnails. */
export interface MediumRow {
  mediaId: string;
  userId: string;
  /** Until when something may be uploaded to it; null where it never had to wait. */
  expiresTs: number | null;
  contentType: string | null;
  isLegacy: boolean;
  scan: "clean" | "refused" | null;
  isQuarantined: boolean;
  createdTs: number;
  /** Null for not since the day it came. */
  lastAccessTs: number | null;
  keyId: number;
  sealed: Uint8Array | null;
  /** Null while nothing was uploaded to it; then the rest is null too. */
  blobId: string | null;
  size: number | null;
  sniffedType: string | null;
  thumbnailId: string | null;
  thumbnailSize: number | null;
  thumbnailType: string | null;
}

/** @param variant names a thumbnail; "" none */
export async function findMedium(
  sql: Sql,
  mediaId: string,
  variant: string,
): Promise<MediumRow | undefined> {
  const [row] = await sql<MediumRow[]>`
    select m.media_id, m.user_id, m.expires_ts, m.content_type, m.is_legacy, m.scan, m.key_id, m.sealed,
      m.quarantined_by is not null as is_quarantined, m.created_ts, m.last_access_ts,
      b.blob_id, b.size, b.content_type as sniffed_type,
      t.blob_id as thumbnail_id, t.size as thumbnail_size, t.content_type as thumbnail_type
    from media m
    left join media_blobs b on b.blob_id = m.blob_id
    left join media_blobs t on t.origin_blob_id = m.blob_id and t.variant = ${variant} and t.state = 'stored'
    where m.media_id = ${mediaId}`;
  return row;
}

/** Null, or when the first of `most` others ends that wait for their content. */
export async function createPendingMedium(
  sql: Sql,
  row: {
    mediaId: string;
    userId: string;
    now: number;
    expiresTs: number;
    isLegacy: boolean;
  },
  most: number,
): Promise<number | null> {
  const { mediaId, userId, now, expiresTs, isLegacy } = row;
  const [answer] = await sql<{ soonest: number | null }[]>`
    select create_pending_medium(${mediaId}, ${userId}, ${now}::bigint, ${expiresTs}::bigint,
      ${most}::int, ${isLegacy}) as soonest`;
  return answer!.soonest;
}

/** How long a blob is held for alive after whoever writes it last said so. */
const WRITING_MINUTES = 60;

/** Before its bytes, so that a crash leaves none that nobody knows of. */
export async function reserveBlob(
  sql: Sql,
  row: {
    blobId: string;
    userId: string;
    isSealed: boolean;
    originBlobId: string | null;
    variant: string | null;
  },
): Promise<void> {
  const { blobId, userId, isSealed, originBlobId, variant } = row;
  await sql`
    insert into media_blobs (blob_id, user_id, state, is_sealed, origin_blob_id, variant, expires_ts)
    values (${blobId}, ${userId}, 'writing', ${isSealed}, ${originBlobId}, ${variant},
      clock_timestamp() + ${WRITING_MINUTES} * interval '1 minute')`;
}

export async function keepReservation(sql: Sql, blobId: string): Promise<void> {
  await sql`
    update media_blobs set expires_ts = clock_timestamp() + ${WRITING_MINUTES} * interval '1 minute'
    where blob_id = ${blobId} and state = 'writing'`;
}

/** A medium of the same user with the same content, sealed or not alike. */
export interface EqualMedium {
  blobId: string;
  mediaId: string;
  keyId: number;
  sealed: Uint8Array;
}

export async function findEqualMedium(
  sql: Sql,
  userId: string,
  hash: Uint8Array,
  isSealed: boolean,
): Promise<EqualMedium | undefined> {
  const [row] = await sql<EqualMedium[]>`
    select b.blob_id, m.media_id, m.key_id, m.sealed
    from media_blobs b join media m on m.blob_id = b.blob_id
    where b.user_id = ${userId} and b.hash = ${hash} and b.state = 'stored' and b.is_sealed = ${isSealed}
    limit 1`;
  return row;
}

export interface NewMedium {
  mediaId: string;
  /** The id was given out before. */
  isPending: boolean;
  userId: string;
  /** What was written for it. */
  blobId: string;
  /** The equal blob that it shall share, if there is one. */
  sharedId: string | null;
  size: number;
  hash: Uint8Array;
  sniffedType: string | null;
  contentType: string;
  isLegacy: boolean;
  keyId: number;
  sealed: Uint8Array;
  /** Bytes that the user may have in all; null for any. */
  quota: number | null;
  now: number;
}

export type StoreMediumVerdict =
  "stored" | "taken" | "expired" | "key" | "unshared" | "quota";

/** Ties a medium to its bytes, in one call; `store_medium` says why not. */
export async function storeMedium(
  sql: Sql,
  row: NewMedium,
): Promise<StoreMediumVerdict> {
  const [answer] = await sql<{ verdict: StoreMediumVerdict }[]>`
    select store_medium(${row.mediaId}, ${row.isPending}, ${row.userId}, ${row.blobId}, ${row.sharedId},
      ${row.size}::bigint, ${row.hash}::bytea, ${row.sniffedType}, ${row.contentType}, ${row.isLegacy},
      ${row.keyId}::bigint, ${row.sealed}::bytea, ${row.quota}::bigint, ${row.now}::bigint) as verdict`;
  return answer!.verdict;
}

/** False where the file is gone, or somebody else was faster. */
export async function storeThumbnail(
  sql: Sql,
  row: { blobId: string; size: number; contentType: string },
): Promise<boolean> {
  const { blobId, size, contentType } = row;
  const { count } = await sql`
    with origin as (
      select o.blob_id from media_blobs t join media_blobs o on o.blob_id = t.origin_blob_id
      where t.blob_id = ${blobId} and o.state = 'stored'
      for share of o
    )
    update media_blobs t set state = 'stored', size = ${size}::bigint, content_type = ${contentType}, expires_ts = null
    from origin
    where t.blob_id = ${blobId} and t.state = 'writing' and not exists (
      select from media_blobs s
      where s.origin_blob_id = origin.blob_id and s.variant = t.variant and s.state = 'stored')`;
  return count > 0;
}

/** Gives up what was being written; false where it is stored, or known to nobody. */
export async function dropBlob(sql: Sql, blobId: string): Promise<boolean> {
  const { count } = await sql`
    update media_blobs set state = 'dropped', expires_ts = clock_timestamp()
    where blob_id = ${blobId} and state <> 'stored'`;
  return count > 0;
}

/** Those of these, and of their thumbnails, that belong to no medium any more. */
export async function listDroppedBlobs(
  sql: Sql,
  blobIds: readonly string[],
): Promise<string[]> {
  if (blobIds.length === 0) return [];
  const rows = await sql<{ blobId: string }[]>`
    select blob_id from media_blobs where blob_id = any(${blobIds as string[]}::text[]) and state = 'dropped'
    union
    select blob_id from media_blobs where origin_blob_id = any(${blobIds as string[]}::text[]) and state = 'dropped'`;
  return rows.map(({ blobId }) => blobId);
}

/** When its bytes are gone from the store. */
export async function forgetBlob(sql: Sql, blobId: string): Promise<void> {
  await sql`delete from media_blobs where blob_id = ${blobId} and state = 'dropped'`;
}

export async function getUsage(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`
    select bytes from media_usage where user_id = ${userId}`;
  return row?.bytes ?? 0;
}

/** Of all users together. */
export async function getTotalUsage(sql: Sql): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`
    select coalesce(sum(bytes), 0)::bigint as bytes from media_usage`;
  return row!.bytes;
}

export async function setScan(
  sql: Sql,
  mediaId: string,
  scan: "clean" | "refused",
): Promise<void> {
  await sql`update media set scan = ${scan} where media_id = ${mediaId}`;
}

/** Notes that it was had. */
export async function setLastAccess(
  sql: Sql,
  mediaId: string,
  ts: number,
): Promise<void> {
  await sql`update media set last_access_ts = ${ts}::bigint where media_id = ${mediaId}`;
}

/** Claims bytes that belong to nobody, of writers that died too. */
export async function claimLostBlobs(
  sql: Sql,
  lease: Lease,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ blobId: string }[]>`
    with held as materialized (${heldLease(sql, lease)}), lost as (
      select blob_id from media_blobs
      where state <> 'stored' and expires_ts <= now() and exists (select from held)
      order by expires_ts limit ${limit} for update skip locked
    )
    update media_blobs set state = 'dropped' from lost where media_blobs.blob_id = lost.blob_id
    returning media_blobs.blob_id`;
  return rows.map(({ blobId }) => blobId);
}

/** Answers how many ids went that nobody uploaded to in time. */
export async function deleteExpiredPending(
  sql: Sql,
  lease: Lease,
  now: number,
  limit: number,
): Promise<number> {
  const { count } = await sql`
    with held as materialized (${heldLease(sql, lease)}), expired as (
      select media_id from media
      where blob_id is null and expires_ts <= ${now}::bigint and exists (select from held)
      order by expires_ts limit ${limit} for update skip locked
    )
    delete from media where media_id = any(array(select media_id from expired)) and blob_id is null`;
  return count;
}
