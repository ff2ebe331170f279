import type { Sql } from "./database.ts";

/** What is due in rooms. */
export interface DueCounts {
  messages: number;
  /** That is no longer current. */
  state: number;
  /** Files that only these name, and that nothing shows. */
  media: number;
  receipts: number;
  /** Of both, what a legal hold keeps. */
  held: number;
}

export async function countDueOfRooms(
  sql: Sql,
  rooms: readonly { roomNid: number; untilTs: number }[],
  withReceipts: boolean,
): Promise<DueCounts> {
  const [row] = await sql<DueCounts[]>`
    with due as materialized (
      select e.nid, e.state_key is not null as is_state, is_event_held(e.nid) as is_held
      from unnest(${rooms.map(({ roomNid }) => roomNid)}::bigint[], ${rooms.map(({ untilTs }) => untilTs)}::bigint[])
        as r(room_nid, until_ts)
      join events e on e.room_nid = r.room_nid and least(e.origin_server_ts, e.received_ts) <= r.until_ts
      where e.redacted_by is null and e.status <> 3 and (e.state_key is null or e.type <> 'm.room.third_party_invite'
        and not exists (
          select from current_state s
          where s.room_nid = e.room_nid and s.type = e.type and s.state_key = e.state_key and s.nid = e.nid))
    )
    select count(*) filter (where not is_state and not is_held) as messages,
      count(*) filter (where is_state and not is_held) as state, count(*) filter (where is_held) as held,
      (select count(*) from media m
        where m.media_id in (select r.media_id from due d join media_references r using (nid) where not d.is_held)
          and not m.is_protected and not is_media_held(m.media_id) and not is_picture(m.media_id)
          and not exists (
            select from media_references r
            where r.media_id = m.media_id and r.nid not in (select nid from due where not is_held))) as media,
      (select count(*) from unnest(${rooms.map(({ roomNid }) => roomNid)}::bigint[],
          ${rooms.map(({ untilTs }) => untilTs)}::bigint[]) as r(room_nid, until_ts)
        join receipts x on x.room_nid = r.room_nid and x.receipt_ts <= r.until_ts where ${withReceipts}) as receipts
    from due`;
  return row!;
}

/** A page of media says at what it can be; more than so many are counted as these. */
const MOST_COUNTED = 100_000;

export async function countDueMedia(
  sql: Sql,
  mediaClass: string,
  untilTs: number,
  byAccess: boolean,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from (
      select m.media_id from media m
      where m.blob_id is not null and m.created_ts <= ${untilTs}::bigint and not m.is_protected
        and (not ${byAccess} or coalesce(m.last_access_ts, m.created_ts) <= ${untilTs}::bigint)
        and not is_media_held(m.media_id) and media_class(m.media_id) = ${mediaClass}
        and (${mediaClass} = 'attachment' or not is_picture(m.media_id))
        and (${mediaClass} <> 'emoji' or not exists (select from media_references r where r.media_id = m.media_id))
      limit ${MOST_COUNTED}) due`;
  return row!.count;
}

export async function countOldThumbnails(
  sql: Sql,
  untilTs: number,
  byAccess: boolean,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from media_blobs t
    where t.state = 'stored' and t.origin_blob_id is not null and not exists (
      select from media m where m.blob_id = t.origin_blob_id and (m.is_protected or is_media_held(m.media_id)
        or case when ${byAccess} then coalesce(m.last_access_ts, m.created_ts) else m.created_ts end > ${untilTs}::bigint))`;
  return row!.count;
}

export async function countOldPreviews(
  sql: Sql,
  untilTs: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from url_previews where fetched_ts <= ${untilTs}::bigint`;
  return row!.count;
}

export async function countOldDevices(
  sql: Sql,
  untilTs: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from devices
    where last_seen_ts > (select addresses_ts from retention_progress) and last_seen_ts <= ${untilTs}::bigint
      and not is_user_held(user_id)`;
  return row!.count;
}
