import type { AuditRow } from "./audit-log.ts";
import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

export interface CheckpointRow {
  seq: number;
  hash: Uint8Array;
  ts: number;
  keyId: string;
  signature: Uint8Array;
}

/** The newest one; undefined before the first. */
export async function findLastCheckpoint(
  sql: Sql,
): Promise<CheckpointRow | undefined> {
  const [row] = await sql<CheckpointRow[]>`
    select seq, hash, ts, key_id, signature from audit_checkpoints order by seq desc limit 1`;
  return row;
}

/** The next ones after a place, up to another. */
export const listCheckpoints = (
  sql: Sql,
  span: { after: number; upTo: number; limit: number },
): Promise<CheckpointRow[]> => sql<CheckpointRow[]>`
  select seq, hash, ts, key_id, signature from audit_checkpoints
  where seq > ${span.after} and seq <= ${span.upTo} order by seq limit ${span.limit}`;

/** The links that follow one. */
export const listLinks = (
  sql: Sql,
  after: number,
  limit: number,
): Promise<AuditRow[]> => sql<AuditRow[]>`
  select seq, record, prev_hash, hash from audit_log
  where seq > ${after} order by seq limit ${limit}`;

export async function insertCheckpoint(
  sql: Sql,
  lease: Lease,
  { seq, hash, ts, keyId, signature }: CheckpointRow,
): Promise<void> {
  await sql`
    insert into audit_checkpoints (seq, hash, ts, key_id, signature)
    select ${seq}, ${hash}, ${ts}, ${keyId}, ${signature}
    where exists (${heldLease(sql, lease)})`;
}

/** Up to where a place was told; 0 for one that is new. */
export async function findDelivered(sql: Sql, target: string): Promise<number> {
  const [row] = await sql<{ seq: number }[]>`
    select seq from audit_deliveries where target = ${target}`;
  return row?.seq ?? 0;
}

export async function setDelivered(
  sql: Sql,
  lease: Lease,
  target: string,
  seq: number,
): Promise<void> {
  await sql`
    insert into audit_deliveries as known (target, seq, delivered_ts)
    select ${target}, ${seq}, database_ms() where exists (${heldLease(sql, lease)})
    on conflict (target) do update set seq = excluded.seq, delivered_ts = excluded.delivered_ts
    where known.seq < excluded.seq`;
}
