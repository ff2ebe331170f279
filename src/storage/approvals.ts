import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import type { PowerRow } from "./authority.ts";
import type { ApprovalState, Sealed } from "./write.ts";

export type ApprovalRow = {
  approvalId: string;
  requestedBy: string;
  permissions: string[];
  userId: string | null;
  roomId: string | null;
  /** `expired` also where nobody has noted it yet. */
  state: ApprovalState;
  requestedTs: number;
  expiresTs: number;
  decidedBy: string | null;
  decidedTs: number | null;
  comment: string | null;
  usedTs: number | null;
  glassReason: string | null;
  isBreakGlass: boolean;
  reviewedBy: string | null;
  reviewedTs: number | null;
  review: string | null;
} & Sealed;

const stateNow = (sql: Sql) => sql`
  case when state in ('pending', 'approved') and expires_ts <= database_ms() then 'expired' else state end`;

const columns = (sql: Sql) => sql`
  approval_id, requested_by, permissions, user_id, room_id, ${stateNow(sql)} as state, requested_ts, expires_ts,
  decided_by, decided_ts, comment, used_ts, glass_reason, is_break_glass, reviewed_by, reviewed_ts, review,
  key_id, sealed`;

export async function findApproval(
  sql: Sql,
  approvalId: string,
): Promise<ApprovalRow | undefined> {
  const [row] = await sql<ApprovalRow[]>`
    select ${columns(sql)} from approvals where approval_id = ${approvalId}`;
  return row;
}

/** The newest that waits, or may be used, for exactly this request of somebody. */
export async function findStandingApproval(
  sql: Sql,
  requestedBy: string,
  requestHash: string,
): Promise<ApprovalRow | undefined> {
  const [row] = await sql<ApprovalRow[]>`
    select ${columns(sql)} from approvals
    where requested_by = ${requestedBy} and request_hash = ${requestHash}
      and state in ('pending', 'approved') and expires_ts > database_ms()
    order by requested_ts desc, approval_id limit 1`;
  return row;
}

export async function countPendingApprovals(
  sql: Sql,
  requestedBy: string,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from approvals
    where requested_by = ${requestedBy} and state = 'pending' and expires_ts > database_ms()`;
  return row!.count;
}

export interface ApprovalSearch {
  requestedBy: string | null;
  state: ApprovalState | null;
  /** What two people did at once, and nobody has looked at yet. */
  isToReview: boolean;
  isDescending: boolean;
  limit: number;
  offset: number;
}

/** A page of the approvals, and how many there are in all. */
export async function listApprovals(
  sql: Sql,
  search: ApprovalSearch,
): Promise<{ approvals: ApprovalRow[]; total: number }> {
  const { requestedBy, state, isToReview, limit, offset } = search;
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const { rows: approvals, total } = await countedPage(
    { limit, offset },
    (at) => sql<(ApprovalRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from approvals
    where (${requestedBy}::text is null or requested_by = ${requestedBy})
      and (${state}::text is null or ${stateNow(sql)} = ${state})
      and (not ${isToReview}::boolean or is_break_glass and reviewed_by is null)
    order by requested_ts ${direction}, approval_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { approvals, total };
}

/** Who wants a second person, and what about. */
export interface ApproverSearch {
  requestedBy: string;
  requestedTs: number;
  userId: string;
  roomId: string;
}

/** What others hold, of use here or not, also those who could not approve it. */
export function listOthersPowers(
  sql: Sql,
  { requestedBy, userId, roomId }: ApproverSearch,
): Promise<PowerRow[]> {
  return sql<PowerRow[]>`
    select b.binding_id, b.user_id, b.role_id, c.permissions, b.scope_kind, b.scope_id, b.expires_ts,
      case b.scope_kind
        when 'server' then true
        when 'group' then exists (
          select from user_group_members m where m.group_id = b.scope_id and m.user_id = ${userId})
        when 'users' then exists (
          select from binding_users u where u.binding_id = b.binding_id and u.user_id = ${userId})
        else b.scope_id = ${roomId} end as is_within
    from role_bindings b left join custom_roles c on c.role_id = b.role_id
    where b.user_id <> ${requestedBy} and (b.expires_ts is null or b.expires_ts > database_ms())
    order by b.user_id, b.binding_id`;
}

/**
 * What of the others' counts to approve it: of those who are not the same person, nor whom
 * it is about. What came to them by who asks, or by the change of a role, after it was
 * asked for does not.
 */
export function listApproverPowers(
  sql: Sql,
  { requestedBy, requestedTs, userId, roomId }: ApproverSearch,
  approver: string,
): Promise<PowerRow[]> {
  return sql<PowerRow[]>`
    select b.binding_id, b.user_id, b.role_id, c.permissions, b.scope_kind, b.scope_id, b.expires_ts,
      case b.scope_kind
        when 'server' then true
        when 'group' then exists (
          select from user_group_members m where m.group_id = b.scope_id and m.user_id = ${userId}
            and not (m.added_by = ${requestedBy} and m.added_ts >= ${requestedTs}))
        when 'users' then exists (
          select from binding_users u where u.binding_id = b.binding_id and u.user_id = ${userId})
        else b.scope_id = ${roomId} end as is_within
    from role_bindings b
    join users holder on holder.user_id = b.user_id
      and not holder.is_deactivated and not holder.is_locked and not holder.is_ending
    left join custom_roles c on c.role_id = b.role_id
    where b.user_id = ${approver} and b.user_id <> ${requestedBy} and b.user_id <> ${userId}
      and (b.expires_ts is null or b.expires_ts > database_ms())
      and not (b.granted_by = ${requestedBy} and b.granted_ts >= ${requestedTs})
      and (c.changed_ts is null or c.changed_ts < ${requestedTs})
      and not exists (
        select from third_party_ids own join third_party_ids other using (medium, address_hash)
        where own.user_id = ${requestedBy} and other.user_id = b.user_id)
      and not exists (
        select from external_ids own join external_ids other using (subject_hash)
        where own.user_id = ${requestedBy} and other.user_id = b.user_id)
    order by b.user_id, b.binding_id`;
}

/** What has ended so long ago, and needs no review. */
export async function deleteOldApprovals(
  sql: Sql,
  ageMs: number,
  limit: number,
): Promise<number> {
  const { count } = await sql`
    delete from approvals where approval_id = any(array(
      select approval_id from approvals
      where requested_ts < database_ms() - ${ageMs}::bigint and expires_ts < database_ms()
        and (not is_break_glass or reviewed_by is not null)
      order by requested_ts limit ${limit} for update skip locked))`;
  return count;
}
