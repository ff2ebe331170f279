import { heldJob, type JobClaim } from "./admin-jobs.ts";
import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

/** What an erasure destroyed: what → how many. */
export async function listErased(
  sql: Sql,
  jobId: string,
): Promise<{ what: string; count: number }[]> {
  return sql<{ what: string; count: number }[]>`
    select what, count from erasure_tallies where job_id = ${jobId} order by what`;
}

export interface NewErasureCertificate {
  certificateId: string;
  userId: string;
  goneTs: number;
  masterEpoch: number | null;
  document: string;
  signature: string;
  keyId: string;
}

/** One for each task. */
export async function insertErasureCertificate(
  sql: Sql,
  claim: JobClaim,
  row: NewErasureCertificate,
): Promise<void> {
  await sql`
    with held as materialized (${heldJob(sql, claim)})
    insert into erasure_certificates (
      certificate_id, job_id, user_id, gone_ts, master_epoch, document, signature, key_id)
    select ${row.certificateId}, job_id, ${row.userId}, ${row.goneTs}::bigint, ${row.masterEpoch}::int,
      ${row.document}, ${row.signature}, ${row.keyId}
    from held on conflict do nothing`;
}

export interface ErasureCertificateRow extends NewErasureCertificate {
  jobId: string;
  unreadableTs: number | null;
  lastDocument: string | null;
  lastSignature: string | null;
}

const columns = (sql: Sql) => sql`
  certificate_id, job_id, user_id, gone_ts, master_epoch, document, signature, key_id,
  unreadable_ts, last_document, last_signature`;

/** The newest of a user. */
export async function findErasureCertificate(
  sql: Sql,
  userId: string,
): Promise<ErasureCertificateRow | undefined> {
  const [row] = await sql<ErasureCertificateRow[]>`
    select ${columns(sql)} from erasure_certificates where user_id = ${userId}
    order by gone_ts desc, certificate_id limit 1`;
  return row;
}

/**
 * Those whose keys went `horizonMs` ago, under no master key that the server still has:
 * a copy of a key opens as little as the key that is gone. Where nothing was sealed, old
 * copies stay readable.
 */
export const listUnreadableErasures = (
  sql: Sql,
  search: { horizonMs: number; oldestEpoch: number; limit: number },
): Promise<ErasureCertificateRow[]> => sql<ErasureCertificateRow[]>`
  select ${columns(sql)} from erasure_certificates
  where unreadable_ts is null and gone_ts <= database_ms() - ${search.horizonMs}::bigint
    and master_epoch < ${search.oldestEpoch}
    and not exists (
      select from erasure_tallies t
      where t.job_id = erasure_certificates.job_id and t.what like '%not sealed')
  order by gone_ts limit ${search.limit}`;

export async function finishErasureCertificate(
  sql: Sql,
  lease: Lease,
  row: {
    certificateId: string;
    unreadableTs: number;
    lastDocument: string;
    lastSignature: string;
  },
): Promise<void> {
  await sql`
    update erasure_certificates set unreadable_ts = ${row.unreadableTs}::bigint, last_document = ${row.lastDocument},
      last_signature = ${row.lastSignature}
    where certificate_id = ${row.certificateId} and unreadable_ts is null and exists (${heldLease(sql, lease)})`;
}
