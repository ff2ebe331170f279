import type { Sql } from "./database.ts";

/** A key that signs checkpoints of the audit log after another one did. */
export interface AuditKeyRow {
  epoch: number;
  keyId: string;
  publicKey: string;
  /** The record that names it. */
  seq: number;
  /** What the one before has signed of it, as the record holds it. */
  statement: string;
  signature: string;
}

/** The one that signs now; undefined as long as the first one does. */
export async function findAuditKey(sql: Sql): Promise<AuditKeyRow | undefined> {
  const [row] = await sql<AuditKeyRow[]>`
    select epoch, key_id, public_key, seq, statement, signature from audit_keys order by epoch desc limit 1`;
  return row;
}

/** All that came after the first one, which are few. */
export const listAuditKeys = (sql: Sql): Promise<AuditKeyRow[]> => sql<
  AuditKeyRow[]
>`
  select epoch, key_id, public_key, seq, statement, signature from audit_keys order by epoch`;

/** The public key of an epoch after the first. */
export async function findAuditKeyOf(
  sql: Sql,
  epoch: number,
): Promise<string | undefined> {
  const [row] = await sql<{ publicKey: string }[]>`
    select public_key from audit_keys where epoch = ${epoch}`;
  return row?.publicKey;
}
