import type { Sql } from "./database.ts";

/** Where a table names a user. */
export interface PersonalPlace {
  table: string;
  /** The column that holds the user's id. */
  of: string;
  /** Its rows are found by the user's rooms. */
  isByRoom: boolean;
}

/** A row as the database writes it in JSON: bytes as `\x…`. */
export type PersonalRow = Readonly<Record<string, unknown>>;

const listOf = (sql: Sql, names: readonly string[]) =>
  names
    .map((name) => sql`${sql(name)}`)
    .reduce((all, name) => sql`${all}, ${name}`);

/**
 * The next rows of a table that name a user, in the order of its key.
 * @param after the last row that was read
 */
export async function listPersonalRows(
  sql: Sql,
  userId: string,
  { table, of, isByRoom }: PersonalPlace,
  key: readonly string[],
  { after, limit }: { after: PersonalRow | undefined; limit: number },
): Promise<PersonalRow[]> {
  const names = listOf(sql, key);
  const later = after
    ? sql`and (${names}) > (
        select ${names} from jsonb_populate_record(null::${sql(table)}, ${JSON.stringify(after)}::text::jsonb))`
    : sql``;
  const rooms = isByRoom
    ? sql`and room_nid = any(array(select m.room_nid from memberships m where m.user_id = ${userId}))`
    : sql``;
  const rows = await sql<{ text: string }[]>`
    select to_jsonb(t)::text as text from ${sql(table)} t
    where ${sql(of)} = ${userId} ${rooms} ${later}
    order by ${names} limit ${limit}`;
  return rows.map(({ text }) => JSON.parse(text) as PersonalRow);
}

/** How many rows of each table name a user. */
export async function countPersonalRows(
  sql: Sql,
  userId: string,
  places: readonly PersonalPlace[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ name: string; count: number }[]>`
    select name, count from count_personal(
      ${userId}, ${places.map(({ table }) => table)}::text[], ${places.map(({ of }) => of)}::text[],
      ${places.map(({ isByRoom }) => String(isByRoom))}::text[]::boolean[])`;
  return new Map(rows.map(({ name, count }) => [name, count]));
}

/** The classes of the columns of tables. */
export async function listClasses(
  sql: Sql,
  tables: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await sql<{ table: string; classes: string[] }[]>`
    select c.relname as table, array_agg(distinct col_description(c.oid, a.attnum) order by col_description(c.oid, a.attnum)) as classes
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname = any(${tables as string[]}::text[])
    group by c.relname`;
  return new Map(rows.map(({ table, classes }) => [table, classes]));
}

/** What a user has in rooms. */
export interface RoomFootprint {
  /** Messages, and how they showed. */
  contents: number;
  /** State of the rooms that they set, which is the rooms'. */
  states: number;
  isCut: boolean;
}

/** Counts what a user sent among the newest events of their rooms. */
export async function countOwnEvents(
  sql: Sql,
  userId: string,
  lookedAt: number,
): Promise<RoomFootprint> {
  const [row] = await sql<RoomFootprint[]>`
    select count(*) filter (where e.sender = ${userId} and e.state_key is null
        or e.type = 'm.room.member' and e.state_key = ${userId})::bigint as contents,
      count(*) filter (where e.sender = ${userId} and e.state_key is not null and e.type <> 'm.room.member')::bigint as states,
      count(*) >= ${lookedAt} as is_cut
    from (
      select e.sender, e.state_key, e.type from memberships m join events e on e.room_nid = m.room_nid
      where m.user_id = ${userId} limit ${lookedAt}) e`;
  return row!;
}

/** Where in a user's rooms one looks on: what stands after it. */
export interface OwnEventsPlace {
  roomNid: number;
  position: number;
}

export interface OwnEventsSearch {
  userId: string;
  after: OwnEventsPlace;
  /** So many events are looked at at the most. */
  lookedAt: number;
  limit: number;
  /** State that they set too, which is the room's; and not how others changed their membership. */
  withState: boolean;
}

export interface OwnEventsPage {
  nids: number[];
  /** Null where there is nothing more. */
  reached: OwnEventsPlace | null;
}

const ROOMS_AT_ONCE = 500;

/** What a user sent to their rooms and how they showed there, room by room. */
export async function listOwnEvents(
  sql: Sql,
  { userId, after, lookedAt, limit, withState }: OwnEventsSearch,
): Promise<OwnEventsPage> {
  const [found] = await sql<
    {
      own: [nid: number, roomNid: number, position: number][];
      last: [roomNid: number, position: number] | null;
      looked: number;
      rooms: number;
      lastRoom: number | null;
    }[]
  >`
    with rooms as materialized (
      select room_nid from memberships where user_id = ${userId} and room_nid >= ${after.roomNid}
      order by room_nid limit ${ROOMS_AT_ONCE}
    ), looked as materialized (
      select e.nid, r.room_nid, e.position, e.is_own
      from rooms r cross join lateral (
        select nid, position,
          sender = ${userId} and (state_key is null or ${withState})
            or type = 'm.room.member' and state_key = ${userId} and (sender = ${userId} or not ${withState}) as is_own
        from events
        where events.room_nid = r.room_nid
          and position > case when r.room_nid = ${after.roomNid} then ${after.position}::bigint else -1 end
        order by position limit ${lookedAt}) e
      order by r.room_nid, e.position limit ${lookedAt}
    ), own as (
      select nid, room_nid, position from looked where is_own order by room_nid, position limit ${limit}
    )
    select (select coalesce(json_agg(json_build_array(nid, room_nid, position)), '[]') from own) as own,
      (select json_build_array(room_nid, position) from looked order by room_nid desc, position desc limit 1) as last,
      (select count(*) from looked) as looked, (select count(*) from rooms) as rooms,
      (select max(room_nid) from rooms) as last_room`;
  const { own, last, looked, rooms, lastRoom } = found!;
  const nids = own.map(([nid]) => nid);
  const end = own.at(-1);
  if (end && own.length === limit)
    return { nids, reached: { roomNid: end[1], position: end[2] } };
  if (last && looked === lookedAt)
    return { nids, reached: { roomNid: last[0], position: last[1] } };
  if (lastRoom === null || rooms < ROOMS_AT_ONCE)
    return { nids, reached: null };
  const position = Number.MAX_SAFE_INTEGER;
  return { nids, reached: { roomNid: lastRoom, position } };
}
