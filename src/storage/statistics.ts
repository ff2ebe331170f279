import { countedPage, type PagePlace } from "./counted-page.ts";
import type { Sql } from "./database.ts";

export interface MediaStatisticsRow {
  userId: string;
  mediaCount: number;
  mediaLength: number;
}

export interface MediaStatisticsSearch {
  fromTs: number;
  untilTs: number | null;
  /** In lower case, within the id; or one of `named`. */
  term: string | null;
  named: readonly string[];
  byName: readonly string[];
  orderBy: "user_id" | "displayname" | "media_count" | "media_length";
  isDescending: boolean;
  limit: number;
  offset: number;
}

/** What users have uploaded, a page of it and how many they are in all; thumbnails are not counted. */
export async function listMediaStatistics(
  sql: Sql,
  search: MediaStatisticsSearch,
): Promise<{ users: MediaStatisticsRow[]; total: number }> {
  const { fromTs, untilTs, term, orderBy } = search;
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const order =
    orderBy === "displayname"
      ? sql`n.place ${direction}, used.user_id ${direction}`
      : sql`used.${sql(orderBy)} ${direction}, used.user_id ${direction}`;
  const names =
    orderBy === "displayname"
      ? sql`left join unnest(${search.byName as string[]}::text[])
          with ordinality as n(user_id, place) on n.user_id = used.user_id`
      : sql``;
  const { rows: users, total } = await countedPage(
    search,
    (at) => sql<(MediaStatisticsRow & { total: number })[]>`
    select used.user_id, used.media_count, used.media_length, count(*) over ()::int as total from (
      select m.user_id, count(*)::int as media_count, sum(b.size)::bigint as media_length
      from media m join media_blobs b on b.blob_id = m.blob_id
      where m.created_ts >= ${fromTs} and (${untilTs}::bigint is null or m.created_ts <= ${untilTs})
        and (${term}::text is null or strpos(lower(m.user_id), ${term}) > 0
          or m.user_id = any(${search.named as string[]}::text[]))
      group by m.user_id
    ) used ${names} order by ${order} limit ${at.limit} offset ${at.offset}`,
  );
  return { users, total };
}

/** Pages of a table that are looked at: enough to tell which rooms are the largest. */
const MOST_PAGES = 4000;

export interface RoomSizeRow {
  roomId: string;
  estimatedSize: number;
}

export interface RoomSizeSearch extends PagePlace {
  orderBy: "estimated_size" | "room_id";
  isDescending: boolean;
}

/**
 * Rooms by the bytes of their events, a page of them and how many they are in all, reckoned
 * from a sample of the database's pages: to read them all would take minutes. It is the same
 * sample each time, or the pages of the list would not be of one list.
 */
export async function listRoomSizes(
  sql: Sql,
  { orderBy, isDescending, ...place }: RoomSizeSearch,
): Promise<{ rooms: RoomSizeRow[]; total: number }> {
  const [table] = await sql<{ pages: number }[]>`
    select greatest(pg_relation_size('events') / current_setting('block_size')::int, 1)::int as pages`;
  const percent = Math.min(100, (MOST_PAGES / table!.pages) * 100);
  const direction = isDescending ? sql`desc` : sql`asc`;
  const { rows: rooms, total } = await countedPage(
    place,
    (at) => sql<(RoomSizeRow & { total: number })[]>`
    select r.room_id, sized.bytes as estimated_size, count(*) over ()::int as total from (
      select e.room_nid, (sum(pg_column_size(e.*)) * 100 / ${percent}::float8)::bigint as bytes
      from events e tablesample system (${percent}::real) repeatable (0)
      group by e.room_nid
    ) sized join rooms r on r.room_nid = sized.room_nid
    order by ${sql(orderBy)} ${direction}, r.room_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { rooms, total };
}
