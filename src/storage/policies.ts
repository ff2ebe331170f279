import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import type { Page } from "./user-groups.ts";

/** A policy that is in force; its document as JSON. */
export interface ActivePolicyRow {
  policyId: string;
  version: number;
  document: string;
}

export function listActivePolicies(sql: Sql): Promise<ActivePolicyRow[]> {
  return sql<ActivePolicyRow[]>`
    select p.policy_id, v.version, v.document
    from policies p join policy_versions v on v.policy_id = p.policy_id and v.version = p.active_version
    order by p.policy_id`;
}

export interface PolicyRow {
  policyId: string;
  activeVersion: number | null;
  activatedBy: string | null;
  activatedTs: number | null;
  latestVersion: number;
}

/** A page of the policies, and how many there are in all. */
export async function listPolicies(
  sql: Sql,
  { limit, offset, isDescending }: Page,
): Promise<{ policies: PolicyRow[]; total: number }> {
  const direction = isDescending ? sql`desc` : sql`asc`;
  const { rows: policies, total } = await countedPage(
    { limit, offset },
    (at) => sql<(PolicyRow & { total: number })[]>`
    select policy_id, active_version, activated_by, activated_ts, count(*) over () as total,
      (select max(v.version) from policy_versions v where v.policy_id = p.policy_id) as latest_version
    from policies p order by policy_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { policies, total };
}

export async function findPolicy(
  sql: Sql,
  policyId: string,
): Promise<PolicyRow | undefined> {
  const [row] = await sql<PolicyRow[]>`
    select policy_id, active_version, activated_by, activated_ts,
      (select max(v.version) from policy_versions v where v.policy_id = p.policy_id) as latest_version
    from policies p where policy_id = ${policyId}`;
  return row;
}

export interface PolicyVersionRow {
  policyId: string;
  version: number;
  document: string;
  author: string;
  createdTs: number;
}

export async function findPolicyVersion(
  sql: Sql,
  policyId: string,
  version: number,
): Promise<PolicyVersionRow | undefined> {
  const [row] = await sql<PolicyVersionRow[]>`
    select policy_id, version, document, author, created_ts
    from policy_versions where policy_id = ${policyId} and version = ${version}`;
  return row;
}

/** A page of a policy's versions, without what they say. */
export async function listPolicyVersions(
  sql: Sql,
  policyId: string,
  { limit, offset, isDescending }: Page,
): Promise<{ versions: Omit<PolicyVersionRow, "document">[]; total: number }> {
  const direction = isDescending ? sql`desc` : sql`asc`;
  const { rows: versions, total } = await countedPage(
    { limit, offset },
    (at) => sql<(Omit<PolicyVersionRow, "document"> & { total: number })[]>`
    select policy_id, version, author, created_ts, count(*) over () as total
    from policy_versions where policy_id = ${policyId}
    order by version ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { versions, total };
}

/** The versions that were in force before the one that is, the latest first. */
export async function listFormerVersions(
  sql: Sql,
  policyId: string,
): Promise<number[]> {
  const rows = await sql<{ version: number }[]>`
    select a.version from policy_activations a join policies p on p.policy_id = a.policy_id
    where a.policy_id = ${policyId} and a.version is not null and a.version is distinct from p.active_version
    order by a.activation_id desc limit 1`;
  return rows.map(({ version }) => version);
}

/** What somebody did in a room, as events of ours tell it. */
export interface RecentActRow {
  userId: string;
  roomNid: number;
  type: string;
  isOwnMember: boolean;
  membership: string | null;
}

/** The last events of users of this server. */
export function listRecentActs(
  sql: Sql,
  serverName: string,
  limit: number,
): Promise<RecentActRow[]> {
  return sql<RecentActRow[]>`
    select e.sender as user_id, e.room_nid, e.type, coalesce(e.state_key = e.sender, false) as is_own_member,
      m.membership
    from events e
    left join memberships m on m.nid = e.nid
    where e.position is not null and e.status = 0
      and right(e.sender, ${serverName.length + 1}) = ${`:${serverName}`}
    order by e.position desc limit ${limit}`;
}
