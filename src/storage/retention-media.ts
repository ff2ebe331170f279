import type { JobClaim } from "./admin-jobs.ts";
import type { Sql } from "./database.ts";

/** What a medium is used as. */
export type MediaClass = "attachment" | "avatar" | "emoji";

/** Media that these events name. */
export async function listMediaNamed(
  sql: Sql,
  nids: readonly number[],
): Promise<string[]> {
  const rows = await sql<{ mediaId: string }[]>`
    select distinct media_id from media_references where nid = any(${nids as number[]}::bigint[])`;
  return rows.map(({ mediaId }) => mediaId);
}

export interface MediaRule {
  mediaClass: MediaClass;
  untilTs: number;
  byAccess: boolean;
}

/** Where the reading of old media goes on. */
export interface MediaPlace {
  createdTs: number;
  mediaId: string;
}

/** So many media are looked at for those that are of a class. */
const LOOKED_AT = 1000;

/**
 * Media of a class that came, or were had last, up to a time, and are neither protected nor
 * held; so many at the most. Pictures that somebody shows are none of these.
 */
export async function listDueMedia(
  sql: Sql,
  { mediaClass, untilTs, byAccess }: MediaRule,
  after: MediaPlace,
  limit: number,
): Promise<{ mediaIds: string[]; next: MediaPlace | null }> {
  const rows = await sql<(MediaPlace & { isDue: boolean })[]>`
    select created_ts, media_id,
      not is_protected and not is_media_held(media_id) and media_class(media_id) = ${mediaClass}
        and (${mediaClass} = 'attachment' or not is_picture(media_id))
        and (${mediaClass} <> 'emoji' or not exists (select from media_references r where r.media_id = m.media_id))
        and (not ${byAccess} or coalesce(last_access_ts, created_ts) <= ${untilTs}::bigint) as is_due
    from media m
    where blob_id is not null and created_ts <= ${untilTs}::bigint
      and (created_ts, media_id) > (${after.createdTs}::bigint, ${after.mediaId})
    order by created_ts, media_id limit ${LOOKED_AT}`;
  const due: MediaPlace[] = rows.filter(({ isDue }) => isDue).slice(0, limit);
  const last = due.length === limit ? due.at(-1) : rows.at(-1);
  const isMore = due.length === limit || rows.length === LOOKED_AT;
  return {
    mediaIds: due.map(({ mediaId }) => mediaId),
    next:
      isMore && last
        ? { createdTs: last.createdTs, mediaId: last.mediaId }
        : null,
  };
}

/**
 * Deletes those of these media that are not held: with events, what nothing besides these
 * names. Answers their blobs.
 */
export async function dropMedia(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  order: {
    policyId: string;
    mediaIds: readonly string[];
    nids: readonly number[] | null;
    keepsPictures: boolean;
  },
): Promise<string[]> {
  const { policyId, mediaIds, nids, keepsPictures } = order;
  const rows = await sql<{ blobId: string | null }[]>`
    select blob_id from drop_media(${jobId}, ${holder}, ${generation}, ${policyId}, ${mediaIds as string[]}::text[],
      ${nids as number[] | null}::bigint[], ${keepsPictures}) as d(blob_id)`;
  return rows.flatMap(({ blobId }) => blobId ?? []);
}

/** Answers the blobs of thumbnails that are to go. */
export async function dropThumbnails(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  order: {
    policyId: string;
    untilTs: number;
    byAccess: boolean;
    limit: number;
  },
): Promise<string[]> {
  const { policyId, untilTs, byAccess, limit } = order;
  const rows = await sql<{ blobId: string }[]>`
    select blob_id from drop_thumbnails(
      ${jobId}, ${holder}, ${generation}, ${policyId}, ${untilTs}::bigint, ${byAccess}, ${limit}) as d(blob_id)`;
  return rows.map(({ blobId }) => blobId);
}

/** Answers the blobs of the pictures of previews that went, and whether there were any. */
export async function dropPreviews(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  {
    policyId,
    untilTs,
    limit,
  }: { policyId: string; untilTs: number; limit: number },
): Promise<string[]> {
  const rows = await sql<{ blobId: string | null }[]>`
    select blob_id from drop_previews(
      ${jobId}, ${holder}, ${generation}, ${policyId}, ${untilTs}::bigint, ${limit}) as d(blob_id)`;
  return rows.flatMap(({ blobId }) => blobId ?? []);
}

/** Answers how many went. */
export async function dropDelayedEvents(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  {
    policyId,
    untilTs,
    limit,
  }: { policyId: string; untilTs: number; limit: number },
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select drop_delayed_events(
      ${jobId}, ${holder}, ${generation}, ${policyId}, ${untilTs}::bigint, ${limit}) as count`;
  return row!.count;
}

/**
 * Destroys keys of months in which files were destroyed and of which no file is left, and
 * has every process forget them; answers which.
 */
export async function destroyFileKeys(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  limit: number,
): Promise<number[]> {
  const rows = await sql<{ keyId: number }[]>`
    select key_id from destroy_file_keys(${jobId}, ${holder}, ${generation}, ${limit}) as d(key_id)`;
  return rows.map(({ keyId }) => keyId);
}

export async function hasOldPreviews(
  sql: Sql,
  untilTs: number,
): Promise<boolean> {
  const [row] = await sql`
    select from url_previews where fetched_ts <= ${untilTs}::bigint limit 1`;
  return row !== undefined;
}

/** A device that was last seen so long ago that its address goes. */
export interface SeenDevice {
  userId: string;
  deviceId: string;
  lastSeenTs: number;
  createdTs: number;
  keyId: number;
  sealed: Uint8Array;
}

export const listDevicesSeen = (
  sql: Sql,
  untilTs: number,
  limit: number,
): Promise<SeenDevice[]> => sql<SeenDevice[]>`
  select d.user_id, d.device_id, d.last_seen_ts, d.created_ts, d.key_id, d.sealed from devices d
  where d.last_seen_ts > (select addresses_ts from retention_progress) and d.last_seen_ts <= ${untilTs}::bigint
  order by d.last_seen_ts limit ${limit}`;

export interface ResealedDevice {
  userId: string;
  deviceId: string;
  before: Uint8Array;
  keyId: number;
  sealed: Uint8Array;
}

const hexOf = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes).toString("hex")}`;

/** Puts devices in the place of those as they were, and notes up to when all were looked at. */
export async function forgetAddresses(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  policyId: string,
  devices: readonly ResealedDevice[],
  untilTs: number,
): Promise<void> {
  const rows = devices.map((device) => ({
    user_id: device.userId,
    device_id: device.deviceId,
    before: hexOf(device.before),
    key_id: device.keyId,
    sealed: hexOf(device.sealed),
  }));
  await sql`
    select forget_addresses(${jobId}, ${holder}, ${generation}, ${policyId},
      ${JSON.stringify(rows)}::text::jsonb, ${untilTs}::bigint)`;
}
