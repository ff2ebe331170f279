import {
  openRecords,
  type OpenedRecord,
} from "../../src/domain/admin/open-records.ts";
import type { AuditRow } from "../../src/storage/audit-log.ts";
import type { TestServer } from "./server.ts";

/** The audit log from a place on, as an auditor reads it. */
export async function readAudit(
  { database: { sql }, edges }: Pick<TestServer, "database" | "edges">,
  after = 0,
): Promise<OpenedRecord[]> {
  const rows = await sql<AuditRow[]>`
    select seq, record, prev_hash, hash from audit_log where seq > ${after} order by seq`;
  return openRecords(edges, rows);
}

/** Where the audit log ends. */
export async function auditHead({
  database: { sql },
}: Pick<TestServer, "database">): Promise<number> {
  const [row] = await sql<{ seq: number }[]>`
    select coalesce(max(seq), 0)::int as seq from audit_log`;
  return row!.seq;
}
