import type { Sql } from "./database.ts";
import { againstHolds } from "./holds.ts";
import { heldLease, type Lease } from "./leases.ts";
import type { Sealed } from "./write.ts";

export type UrlPreviewRow = {
  fetchedTs: number;
  isFailure: boolean;
} & Sealed;

/** What holds at `ts` or was fetched after it, the soonest first; a failure holds only while it is fresh. */
export async function listUrlPreviews(
  sql: Sql,
  urlHash: Uint8Array,
  ts: number,
  now: number,
  limit: number,
): Promise<UrlPreviewRow[]> {
  return sql<UrlPreviewRow[]>`
    select fetched_ts, is_failure, key_id, sealed from url_previews
    where url_hash = ${urlHash}
      and expires_ts > case when is_failure then ${now}::bigint else ${ts}::bigint end
    order by fetched_ts limit ${limit}`;
}

/** The right to fetch a page; false while somebody else has it. Times are the database's. */
export async function takeUrlFetch(
  sql: Sql,
  urlHash: Uint8Array,
  holder: string,
  forMs: number,
): Promise<boolean> {
  const { count } = await sql`
    insert into url_preview_fetches as held (url_hash, holder, expires_ts)
    values (${urlHash}, ${holder}, clock_timestamp() + ${forMs} * interval '1 millisecond')
    on conflict (url_hash) do update set holder = excluded.holder, expires_ts = excluded.expires_ts
    where held.expires_ts <= clock_timestamp()`;
  return count > 0;
}

export async function endUrlFetch(
  sql: Sql,
  urlHash: Uint8Array,
  holder: string,
): Promise<void> {
  await sql`
    delete from url_preview_fetches where url_hash = ${urlHash} and holder = ${holder}`;
}

export async function storeUrlPreview(
  sql: Sql,
  urlHash: Uint8Array,
  row: UrlPreviewRow & { expiresTs: number; mediaId: string | null },
): Promise<void> {
  const { fetchedTs, expiresTs, isFailure, mediaId, keyId, sealed } = row;
  await sql`
    insert into url_previews (url_hash, fetched_ts, expires_ts, is_failure, media_id, key_id, sealed)
    values (${urlHash}, ${fetchedTs}, ${expiresTs}, ${isFailure}, ${mediaId}, ${keyId}, ${sealed})
    on conflict (url_hash, fetched_ts) do update set
      expires_ts = excluded.expires_ts, is_failure = excluded.is_failure, media_id = excluded.media_id,
      key_id = excluded.key_id, sealed = excluded.sealed`;
}

/**
 * Deletes at most `limit` of those that are older than `ageMs`, or beyond the newest
 * `most`, with their images unless something else names them.
 */
export async function deleteOldUrlPreviews(
  sql: Sql,
  lease: Lease,
  { ageMs, most, limit }: { ageMs: number; most: number; limit: number },
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    with held as (${heldLease(sql, lease)}), stale as (
      delete from url_preview_fetches
      where exists (select from held) and expires_ts < clock_timestamp() - interval '1 hour'
    ), crowded as (
      select fetched_ts from url_previews order by fetched_ts desc offset ${most} limit 1
    ), old as (
      select url_hash, fetched_ts from url_previews
      where exists (select from held) and ${againstHolds(sql)} and fetched_ts <= greatest(
        (extract(epoch from clock_timestamp()) * 1000)::bigint - ${ageMs}::bigint, (select fetched_ts from crowded))
      order by fetched_ts limit ${limit}
    ), deleted as (
      delete from url_previews using old
      where url_previews.url_hash = old.url_hash and url_previews.fetched_ts = old.fetched_ts
      returning media_id
    ), images as (
      delete from media using deleted
      where media.media_id = deleted.media_id and not is_named(media.media_id)
    )
    select count(*) as count from deleted`;
  return row!.count;
}

/** What was fetched of other servers' pages before a time, a part of it. */
export function listUrlPreviewsBefore(
  sql: Sql,
  ts: number,
  limit: number,
): Promise<{ urlHash: Uint8Array; fetchedTs: number }[]> {
  return sql<{ urlHash: Uint8Array; fetchedTs: number }[]>`
    select url_hash, fetched_ts from url_previews where fetched_ts < ${ts}::bigint
    order by fetched_ts limit ${limit}`;
}
