import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

/** What a run that has ended destroyed by a policy, without a certificate yet. */
export interface UncertifiedRow {
  jobId: string;
  policyId: string;
  policyVersion: number | null;
  /** JSON of the policy as it is in force now. */
  policy: string | null;
  goneTs: number;
  /** JSON: what → how many. */
  counts: string;
  /** Keys that die with a span, and others, which live as long as what they are of. */
  spanKeys: number;
  otherKeys: number;
}

export const listUncertified = (
  sql: Sql,
  limit: number,
): Promise<UncertifiedRow[]> => sql<UncertifiedRow[]>`
  select t.job_id, t.policy_id, p.active_version as policy_version, p.active as policy, j.ended_ts as gone_ts,
    json_object_agg(t.what, t.count order by t.what)::text as counts,
    (select count(*) from retention_keys k where k.job_id = t.job_id and k.policy_id = t.policy_id and k.is_span) as span_keys,
    (select count(*) from retention_keys k where k.job_id = t.job_id and k.policy_id = t.policy_id and not k.is_span) as other_keys
  from retention_tallies t
  join admin_jobs j on j.job_id = t.job_id and j.ended_ts is not null
  left join retention_policies p on p.policy_id = t.policy_id
  where not exists (
    select from retention_certificates c where c.job_id = t.job_id and c.policy_id = t.policy_id)
  group by t.job_id, t.policy_id, p.active_version, p.active, j.ended_ts
  order by j.ended_ts, t.policy_id limit ${limit}`;

export interface NewCertificate {
  certificateId: string;
  jobId: string;
  policyId: string;
  goneTs: number;
  document: string;
  signature: string;
  keyId: string;
}

export async function insertCertificate(
  sql: Sql,
  lease: Lease,
  row: NewCertificate,
): Promise<void> {
  await sql`
    insert into retention_certificates (certificate_id, job_id, policy_id, gone_ts, document, signature, key_id)
    select ${row.certificateId}, ${row.jobId}, ${row.policyId}, ${row.goneTs}::bigint, ${row.document}, ${row.signature}, ${row.keyId}
    where exists (${heldLease(sql, lease)})
    on conflict do nothing`;
}

/** A certificate whose second time is not known yet. */
export interface OpenCertificate extends NewCertificate {
  keysGoneTs: number | null;
}

/**
 * Notes of certificates whose keys are all destroyed when that was seen, and the master key of
 * then: none of another epoch has wrapped them since. What was sealed under no key is never
 * said to be unreadable.
 */
export async function noteKeysGone(sql: Sql, lease: Lease): Promise<void> {
  await sql`
    with gone as (
      update retention_certificates c set keys_gone_ts = database_ms()
      where c.keys_gone_ts is null and exists (${heldLease(sql, lease)})
        and exists (select from retention_keys k where k.job_id = c.job_id and k.policy_id = c.policy_id)
        and not exists (
          select from retention_keys k join keys on keys.key_id = k.key_id
          where k.job_id = c.job_id and k.policy_id = c.policy_id)
        and not exists (
          select from retention_tallies t
          where t.job_id = c.job_id and t.policy_id = c.policy_id and t.what = 'unsealed' and t.count > 0)
      returning c.job_id, c.policy_id
    )
    update retention_keys k set master_epoch = greatest(k.master_epoch, s.value::integer)
    from gone, server_settings s
    where s.name = 'master_epoch' and k.job_id = gone.job_id and k.policy_id = gone.policy_id`;
}

/**
 * Those whose keys were gone `horizonMs` ago, and which no master key opens any more that
 * the server still has: the keys' copies are as dead as they are.
 */
export const listUnreadable = (
  sql: Sql,
  {
    horizonMs,
    oldestEpoch,
    limit,
  }: { horizonMs: number; oldestEpoch: number; limit: number },
): Promise<OpenCertificate[]> => sql<OpenCertificate[]>`
  select c.certificate_id, c.job_id, c.policy_id, c.gone_ts, c.document, c.signature, c.key_id, c.keys_gone_ts
  from retention_certificates c
  where c.unreadable_ts is null and c.keys_gone_ts <= database_ms() - ${horizonMs}::bigint
    and not exists (
      select from retention_keys k
      where k.job_id = c.job_id and k.policy_id = c.policy_id
        and (k.master_epoch is null or k.master_epoch >= ${oldestEpoch}))
  order by c.gone_ts limit ${limit}`;

export async function finishCertificate(
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
    update retention_certificates set unreadable_ts = ${row.unreadableTs}::bigint, last_document = ${row.lastDocument},
      last_signature = ${row.lastSignature}
    where certificate_id = ${row.certificateId} and unreadable_ts is null and exists (${heldLease(sql, lease)})`;
}

export interface CertificateRow {
  certificateId: string;
  jobId: string;
  policyId: string;
  goneTs: number;
  unreadableTs: number | null;
  document: string;
  signature: string;
  lastDocument: string | null;
  lastSignature: string | null;
  keyId: string;
}

const columns = (sql: Sql) => sql`
  certificate_id, job_id, policy_id, gone_ts, unreadable_ts, document, signature, last_document, last_signature, key_id`;

export async function listCertificates(
  sql: Sql,
  search: {
    policyId: string | null;
    limit: number;
    offset: number;
    isDescending: boolean;
  },
): Promise<{ certificates: CertificateRow[]; total: number }> {
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const { rows: certificates, total } = await countedPage(
    search,
    (at) => sql<(CertificateRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from retention_certificates
    where ${search.policyId}::text is null or policy_id = ${search.policyId}
    order by gone_ts ${direction}, certificate_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { certificates, total };
}

export async function findCertificate(
  sql: Sql,
  certificateId: string,
): Promise<CertificateRow | undefined> {
  const [row] = await sql<CertificateRow[]>`
    select ${columns(sql)} from retention_certificates where certificate_id = ${certificateId}`;
  return row;
}

/** Which keys there were is of no use when none opens anything any more. */
export async function forgetSettledKeys(
  sql: Sql,
  lease: Lease,
  limit: number,
): Promise<void> {
  await sql`
    delete from retention_keys where ctid = any(array(
      select k.ctid from retention_certificates c
      join retention_keys k on k.job_id = c.job_id and k.policy_id = c.policy_id
      where c.unreadable_ts is not null and exists (${heldLease(sql, lease)}) limit ${limit}))`;
}
