import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

export interface RetentionPolicyRow {
  policyId: string;
  /** JSON. */
  draft: string;
  version: number;
  triedVersion: number | null;
  active: string | null;
  activeVersion: number | null;
  inForceTs: number | null;
  removedTs: number | null;
  changedBy: string;
  changedTs: number;
  activatedBy: string | null;
}

const columns = (sql: Sql) => sql`
  policy_id, draft, version, tried_version, active, active_version, in_force_ts, removed_ts, changed_by, changed_ts, activated_by`;

/** A page of the policies, and how many there are in all. */
export async function listRetentionPolicies(
  sql: Sql,
  page: { limit: number; offset: number; isDescending: boolean },
): Promise<{ policies: RetentionPolicyRow[]; total: number }> {
  const direction = page.isDescending ? sql`desc` : sql`asc`;
  const { rows: policies, total } = await countedPage(
    page,
    (at) => sql<(RetentionPolicyRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from retention_policies
    order by policy_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { policies, total };
}

export async function findRetentionPolicy(
  sql: Sql,
  policyId: string,
): Promise<RetentionPolicyRow | undefined> {
  const [row] = await sql<RetentionPolicyRow[]>`
    select ${columns(sql)} from retention_policies where policy_id = ${policyId}`;
  return row;
}

export async function countRetentionPolicies(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from retention_policies`;
  return row!.count;
}

/** A policy that is in force. */
export interface ForcedPolicyRow {
  policyId: string;
  /** JSON. */
  active: string;
  activeVersion: number;
}

/** The policies in force, by the database's time, and the name of just these. */
export async function listForcedPolicies(
  sql: Sql,
): Promise<{ policies: ForcedPolicyRow[]; madeOf: string }> {
  const rows = await sql<(ForcedPolicyRow & { madeOf: string })[]>`
    select policy_id, active, active_version, retention_policies_now() as made_of
    from policies_in_force() order by policy_id`;
  const [first] = rows;
  if (first) return { policies: rows, madeOf: first.madeOf };
  const [none] = await sql<{ madeOf: string }[]>`
    select retention_policies_now() as made_of`;
  return { policies: [], madeOf: none!.madeOf };
}

/** Those that were taken away, and may have been brought back until now. */
export async function deleteRemovedPolicies(
  sql: Sql,
  lease: Lease,
): Promise<void> {
  await sql`
    delete from retention_policies where removed_ts <= database_ms() and exists (${heldLease(sql, lease)})`;
}
