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

/** The next room that a user has to do with. */
export async function findNextRoom(
  sql: Sql,
  userId: string,
  after: number,
): Promise<number | undefined> {
  const [row] = await sql<{ roomNid: number }[]>`
    select room_nid from memberships where user_id = ${userId} and room_nid > ${after}
    order by room_nid limit 1`;
  return row?.roomNid;
}

export interface OwnEventsPage {
  nids: number[];
  /** Where to look on; null where there is nothing more in this room. */
  reached: number | null;
}

/**
 * What a user sent to a room and how they showed there, after a position. So many events
 * are looked at, and that many found at the most.
 */
export async function listOwnEvents(
  sql: Sql,
  search: {
    userId: string;
    roomNid: number;
    after: number;
    lookedAt: number;
    limit: number;
    /** State that they set too, which is the room's. */
    withState: boolean;
  },
): Promise<OwnEventsPage> {
  const { userId, roomNid, after, lookedAt, limit, withState } = search;
  const [window] = await sql<{ last: number | null; count: number }[]>`
    select max(position) as last, count(*) as count from (
      select position from events where room_nid = ${roomNid} and position > ${after}
      order by position limit ${lookedAt}) looked`;
  const { last, count } = window!;
  if (last === null) return { nids: [], reached: null };
  const rows = await sql<{ nid: number; position: number }[]>`
    select nid, position from events
    where room_nid = ${roomNid} and position > ${after} and position <= ${last}
      and (sender = ${userId} and (state_key is null or ${withState})
        or type = 'm.room.member' and state_key = ${userId} and (sender = ${userId} or not ${withState}))
    order by position limit ${limit}`;
  const nids = rows.map(({ nid }) => nid);
  if (rows.length === limit) return { nids, reached: rows.at(-1)!.position };
  return { nids, reached: count < lookedAt ? null : last };
}
