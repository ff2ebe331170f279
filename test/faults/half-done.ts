import postgres from "postgres";
import { tell } from "./proof.ts";

/** What a write that was cut in two would have left, each by a query that finds nothing. */
const TRACES: Record<string, (sql: postgres.Sql) => Promise<object[]>> = {
  "a transaction is open": (sql) => sql`
    select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and xact_start < clock_timestamp() - interval '10 seconds'`,
  "an event lies beyond the head of the stream": (sql) => sql`
    select nid from events
    where position > (select coalesce(max(last_position), 0) from batches)`,
  "a message has no content": (sql) => sql`
    select nid from events e where type = 'm.room.message' and redacted_by is null
      and not exists (select from event_contents c where c.nid = e.nid)`,
  "a room ends in no event of its own": (sql) => sql`
    select room_nid from rooms r where not exists (
      select from forward_extremities f join events e using (nid)
      where f.room_nid = r.room_nid and e.room_nid = r.room_nid)`,
  "the state of a room is no event of its own": (sql) => sql`
    select s.nid from current_state s left join events e using (nid)
    where e.room_nid is distinct from s.room_nid`,
  "a membership is not the state of its room": (sql) => sql`
    select m.user_id from memberships m left join current_state s
      on s.room_nid = m.room_nid and s.type = 'm.room.member' and s.state_key = m.user_id
    where s.nid is distinct from m.nid`,
  "a stay is not what the membership says": (sql) => sql`
    select m.user_id from memberships m
    where (m.membership = 'join') is distinct from exists (
      select from stays s where s.user_id = m.user_id and s.room_nid = m.room_nid and s.left_position is null)`,
  "a room counts other members than it has": (sql) => sql`
    select r.room_id from rooms r left join (
      select room_nid, count(*) filter (where membership = 'join') as joined,
        count(*) filter (where membership = 'invite') as invited
      from memberships group by room_nid) m using (room_nid)
    where (r.joined_members, r.invited_members) <> (coalesce(m.joined, 0), coalesce(m.invited, 0))`,
  "a change of state has no event": (sql) => sql`
    select c.position from state_changes c left join events e on e.nid = c.new_nid
    where c.new_nid is not null and e.room_nid is distinct from c.room_nid`,
};

/** What a database holds of writes that were begun and not finished. */
export async function listHalfDone(databaseUrl: string): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    const found: string[] = [];
    for (const [what, look] of Object.entries(TRACES))
      found.push(...(await look(sql)).map((row) => `${what}: ${show(row)}`));
    return tell(found);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

const show = (row: object): string => Object.values(row).join(" ");
