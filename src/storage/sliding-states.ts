import type { Sql } from "./database.ts";
import { deleteOldRows } from "./delete-old-rows.ts";
import { escapeText } from "./json-text.ts";
import type { Lease } from "./leases.ts";

/** A connection of sliding sync: the client names it, its own for each device. */
export interface Connection {
  userId: string;
  deviceId: string;
  connId: string;
}

export interface SlidingStateRow {
  seq: number;
  stateId: number;
  parentId: number | null;
  change: Uint8Array;
  createdTs: number;
}

/** The states of a connection up to one of them, oldest first. */
export async function listSlidingStates(
  sql: Sql,
  { userId, deviceId, connId }: Connection,
  upToSeq: number,
): Promise<SlidingStateRow[]> {
  return sql<SlidingStateRow[]>`
    select seq, state_id, parent_id, change, created_ts from sliding_sync_states
    where user_id = ${userId} and device_id = ${deviceId} and conn_id = ${escapeText(connId)}
      and seq <= ${upToSeq}
    order by seq`;
}

/** Retries of one request that are kept: any of their answers may be the one that arrived. */
const MOST_BESIDE = 3;

/**
 * Stores the state that follows another. Whoever came back with that one needs none of
 * those before its whole one, nor others at its place or before.
 */
export async function addSlidingState(
  sql: Sql,
  connection: Connection,
  state: Omit<SlidingStateRow, "seq">,
  after: { seq: number; wholeSeq: number; chain: readonly number[] },
): Promise<number> {
  const { userId, deviceId, connId } = connection;
  const seq = after.seq + 1;
  await sql`
    with own as (
      select s.seq, s.state_id, s.created_ts from sliding_sync_states s
      where s.user_id = ${userId} and s.device_id = ${deviceId} and s.conn_id = ${escapeText(connId)}
    ), old as (
      select seq, state_id from own
      where seq < ${after.wholeSeq}
        or (seq <= ${after.seq} and state_id <> all(${after.chain as number[]}::bigint[]))
      union
      (select seq, state_id from own where seq = ${seq} order by created_ts desc offset ${MOST_BESIDE - 1})
    ), gone as (${deleteOld(sql, connection)})
    ${insertState(sql, connection, state, sql`${seq}::bigint`)}`;
  return seq;
}

/** Of a connection that begins anew: its last states may still be in use, where its first request came twice. */
const MOST_OLD = 8;

/** Stores the first state of a connection; the device's connections beyond `most` that were used least go. */
export async function beginSlidingStates(
  sql: Sql,
  connection: Connection,
  state: Omit<SlidingStateRow, "seq">,
  most: number,
): Promise<number> {
  const { userId, deviceId, connId } = connection;
  const [row] = await sql<{ seq: number }[]>`
    with own as (
      select s.seq, s.state_id, s.created_ts from sliding_sync_states s
      where s.user_id = ${userId} and s.device_id = ${deviceId} and s.conn_id = ${escapeText(connId)}
    ), old as (
      select seq, state_id from own order by created_ts desc, seq desc offset ${MOST_OLD}
    ), gone as (${deleteOld(sql, connection)}
    ), others as (
      select s.conn_id from sliding_sync_states s
      where s.user_id = ${userId} and s.device_id = ${deviceId} and s.conn_id <> ${escapeText(connId)}
      group by s.conn_id order by max(s.created_ts) desc offset ${most - 1}
    ), dropped as (
      delete from sliding_sync_states s using others o
      where s.user_id = ${userId} and s.device_id = ${deviceId} and s.conn_id = o.conn_id
    )
    ${insertState(sql, connection, state, sql`(select coalesce(max(seq), 0) + 1 from own)`)}
    returning seq`;
  return row!.seq;
}

/** Two answers to one connection may clear it at once: neither waits for the other. */
const deleteOld = (sql: Sql, { userId, deviceId, connId }: Connection) => sql`
  delete from sliding_sync_states s using (
    select t.seq, t.state_id from sliding_sync_states t join old on old.seq = t.seq and old.state_id = t.state_id
    where t.user_id = ${userId} and t.device_id = ${deviceId} and t.conn_id = ${escapeText(connId)}
    for update of t skip locked
  ) o
  where s.user_id = ${userId} and s.device_id = ${deviceId} and s.conn_id = ${escapeText(connId)}
    and s.seq = o.seq and s.state_id = o.state_id`;

const insertState = (
  sql: Sql,
  { userId, deviceId, connId }: Connection,
  { stateId, parentId, change, createdTs }: Omit<SlidingStateRow, "seq">,
  seq: ReturnType<Sql>,
) => sql`
  insert into sliding_sync_states (user_id, device_id, conn_id, seq, state_id, parent_id, change, created_ts)
  select ${userId}, ${deviceId}, ${escapeText(connId)}, ${seq}, ${stateId}::bigint, ${parentId}::bigint,
    ${Buffer.from(change)}::bytea, ${createdTs}::bigint`;

/** Deletes at most `limit` states that are older than `ageMs`, by the database's time. */
export const deleteOldSlidingStates = (
  sql: Sql,
  lease: Lease,
  ageMs: number,
  limit: number,
): Promise<number> =>
  deleteOldRows(
    sql,
    lease,
    { table: "sliding_sync_states", time: "created_ts" },
    ageMs,
    limit,
  );
