import type { AuditRow } from "./audit-log.ts";
import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

export interface AccessSearch {
  /** What reads something of people. */
  actions: readonly string[];
  /** The user's stand-in, and the rooms that they are in. */
  resourceIds: readonly string[];
  /** Whose own doings are none. */
  exceptActor: string;
  /** Before this record. */
  before: number;
  limit: number;
}

/** Records of reads, the newest first. */
export const listAccesses = (
  sql: Sql,
  { actions, resourceIds, exceptActor, before, limit }: AccessSearch,
): Promise<AuditRow[]> => sql<AuditRow[]>`
  select seq, record, prev_hash, hash from audit_log
  where ((facts).resource).id = any(${resourceIds as string[]}::text[])
    and (facts).action = any(${actions as string[]}::text[]) and (facts).result = 'allowed'
    and ((facts).actor).id is distinct from ${exceptActor} and seq < ${before}
  order by seq desc limit ${limit}`;

/** The rooms that a user is or was in, so many at the most. */
export async function listRoomIdsOf(
  sql: Sql,
  userId: string,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ roomId: string }[]>`
    select r.room_id from rooms r
    where r.room_nid in (select s.room_nid from stays s where s.user_id = ${userId})
    order by r.room_nid desc limit ${limit}`;
  return rows.map(({ roomId }) => roomId);
}

/** Up to where users were told of reads; null before the first time. */
export async function findToldSeq(sql: Sql): Promise<number | null> {
  const [row] = await sql<{ seq: number | null }[]>`
    select seq from told_reads`;
  return row?.seq ?? null;
}

export async function setToldSeq(
  sql: Sql,
  lease: Lease,
  seq: number,
): Promise<void> {
  await sql`
    update told_reads set seq = ${seq}::bigint where exists (${heldLease(sql, lease)})`;
}

/** The next record of a read, after one. */
export async function findNextRead(
  sql: Sql,
  actions: readonly string[],
  after: number,
): Promise<AuditRow | undefined> {
  const [row] = await sql<AuditRow[]>`
    select seq, record, prev_hash, hash from audit_log
    where seq > ${after} and (facts).action = any(${actions as string[]}::text[]) and (facts).result = 'allowed'
    order by seq limit 1`;
  return row;
}

/** Who of this server is in a room, so many at the most. */
export async function listJoinedHere(
  sql: Sql,
  roomId: string,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select m.user_id from rooms r join memberships m on m.room_nid = r.room_nid
    join users u on u.user_id = m.user_id
    where r.room_id = ${roomId} and m.membership = 'join' and not u.is_deactivated
    order by m.user_id limit ${limit}`;
  return rows.map(({ userId }) => userId);
}
