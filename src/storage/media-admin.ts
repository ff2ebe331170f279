import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";

/** A medium as an administrator finds it. */
export interface MediumInfo {
  mediaId: string;
  userId: string;
  createdTs: number;
  lastAccessTs: number | null;
  contentType: string | null;
  size: number | null;
  quarantinedBy: string | null;
  isProtected: boolean;
  isLegacy: boolean;
  keyId: number;
  sealed: Uint8Array | null;
}

const info = (sql: Sql) => sql`
  m.media_id, m.user_id, m.created_ts, m.last_access_ts, m.content_type, b.size, m.quarantined_by,
  m.is_protected, m.is_legacy, m.key_id, m.sealed`;

export async function findMediumInfo(
  sql: Sql,
  mediaId: string,
): Promise<MediumInfo | undefined> {
  const [row] = await sql<MediumInfo[]>`
    select ${info(sql)} from media m left join media_blobs b on b.blob_id = m.blob_id
    where m.media_id = ${mediaId}`;
  return row;
}

export const MEDIA_ORDERS = [
  ...["media_id", "created_ts", "last_access_ts", "media_length"],
  ...["media_type", "user_id", "quarantined_by", "safe_from_quarantine"],
] as const;
export type MediaOrder = (typeof MEDIA_ORDERS)[number];

const COLUMNS: Readonly<Record<MediaOrder, string>> = {
  media_id: "media_id",
  created_ts: "created_ts",
  last_access_ts: "last_access_ts",
  media_length: "size",
  media_type: "content_type",
  user_id: "user_id",
  quarantined_by: "quarantined_by",
  safe_from_quarantine: "is_protected",
};

export interface MediaPage {
  order: MediaOrder;
  isDescending: boolean;
  limit: number;
  offset: number;
}

/** A page of what a user has uploaded, and how much there is in all. */
export async function listMediaOf(
  sql: Sql,
  userId: string,
  { order, isDescending, limit, offset }: MediaPage,
): Promise<{ media: MediumInfo[]; total: number }> {
  const direction = isDescending ? sql`desc` : sql`asc`;
  const { rows: media, total } = await countedPage(
    { limit, offset },
    (at) => sql<(MediumInfo & { total: number })[]>`
    select *, count(*) over () as total from (
      select ${info(sql)} from media m join media_blobs b on b.blob_id = m.blob_id
      where m.user_id = ${userId}) listed
    order by ${sql(COLUMNS[order])} ${direction}, media_id ${direction}
    limit ${at.limit} offset ${at.offset}`,
  );
  return { media, total };
}

const MOST_OF_ROOM = 100_000;

/** Media of ours that events of a room name. */
export async function listMediaOfRoom(
  sql: Sql,
  roomNid: number,
): Promise<string[]> {
  const rows = await sql<{ mediaId: string }[]>`
    select distinct r.media_id from events e join media_references r on r.nid = e.nid
    where e.room_nid = ${roomNid} and e.arrival is not null order by r.media_id limit ${MOST_OF_ROOM}`;
  return rows.map(({ mediaId }) => mediaId);
}

/** Of these, or of a user's, those that a quarantine would reach. */
export async function listQuarantinable(
  sql: Sql,
  of: { mediaIds: readonly string[] } | { userId: string },
  limit: number,
): Promise<string[]> {
  const chosen =
    "userId" in of
      ? sql`user_id = ${of.userId}`
      : sql`media_id = any(${of.mediaIds as string[]}::text[])`;
  const rows = await sql<{ mediaId: string }[]>`
    select media_id from media
    where ${chosen} and blob_id is not null and quarantined_by is null and not is_protected
    order by media_id limit ${limit}`;
  return rows.map(({ mediaId }) => mediaId);
}

export interface OldMediaSearch {
  /** Neither came nor were had since. */
  beforeTs: number;
  largerThan: number;
  /** What a profile or a room shows, or a pack of emoji has, stays. */
  keepsProfiles: boolean;
  limit: number;
}

/** Media that are old and large enough to go, unless they are protected. */
export async function listOldMedia(
  sql: Sql,
  { beforeTs, largerThan, keepsProfiles, limit }: OldMediaSearch,
): Promise<string[]> {
  const rows = await sql<{ mediaId: string }[]>`
    select m.media_id from media m join media_blobs b on b.blob_id = m.blob_id
    where m.created_ts < ${beforeTs}::bigint and coalesce(m.last_access_ts, m.created_ts) < ${beforeTs}::bigint
      and b.size > ${largerThan}::bigint and not m.is_protected and not is_media_held(m.media_id)
      and (not ${keepsProfiles} or not is_picture(m.media_id))
    order by m.created_ts, m.media_id limit ${limit}`;
  return rows.map(({ mediaId }) => mediaId);
}

/** The blobs that media lead to. */
export async function listBlobsOf(
  sql: Sql,
  mediaIds: readonly string[],
): Promise<string[]> {
  if (mediaIds.length === 0) return [];
  const rows = await sql<{ blobId: string }[]>`
    select distinct blob_id from media
    where media_id = any(${mediaIds as string[]}::text[]) and blob_id is not null`;
  return rows.map(({ blobId }) => blobId);
}

export interface QuarantineChangeRow {
  changeId: number;
  mediaId: string;
  isQuarantined: boolean;
}

export async function listQuarantineChanges(
  sql: Sql,
  after: number,
  limit: number,
): Promise<QuarantineChangeRow[]> {
  return sql<QuarantineChangeRow[]>`
    select change_id, media_id, is_quarantined from quarantine_changes
    where change_id > ${after} order by change_id limit ${limit}`;
}

export async function countMediaOf(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from media where user_id = ${userId}`;
  return row!.count;
}

export interface OwnMediumRow {
  mediaId: string;
  createdTs: number;
  contentType: string | null;
  isQuarantined: boolean;
  keyId: number;
  sealed: Uint8Array | null;
  /** Null until its bytes have come. */
  blobId: string | null;
  size: number | null;
}

/** The next media of a user, in the order of their ids. */
export const listOwnMedia = (
  sql: Sql,
  userId: string,
  after: string,
  limit: number,
): Promise<OwnMediumRow[]> => sql<OwnMediumRow[]>`
  select m.media_id, m.created_ts, coalesce(b.content_type, m.content_type) as content_type,
    m.quarantined_by is not null as is_quarantined, m.key_id, m.sealed, m.blob_id, b.size
  from media m left join media_blobs b on b.blob_id = m.blob_id
  where m.user_id = ${userId} and m.media_id > ${after} order by m.media_id limit ${limit}`;
