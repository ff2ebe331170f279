import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import type {
  PrivacyRequestKind,
  PrivacyRequestState,
  Sealed,
} from "./write.ts";

export type PrivacyRequestRow = {
  requestId: string;
  userId: string;
  kind: PrivacyRequestKind;
  state: PrivacyRequestState;
  openedBy: string;
  createdTs: number;
  dueTs: number;
  closedTs: number | null;
  identityCheckedBy: string | null;
  identityCheckedTs: number | null;
  version: number;
  /** By the database's clock. */
  isOverdue: boolean;
} & Sealed;

const columns = (sql: Sql) => sql`
  request_id, user_id, kind, state, opened_by, created_ts, due_ts, closed_ts, identity_checked_by,
  identity_checked_ts, version, key_id, sealed, closed_ts is null and due_ts < database_ms() as is_overdue`;

export async function findPrivacyRequest(
  sql: Sql,
  requestId: string,
): Promise<PrivacyRequestRow | undefined> {
  const [row] = await sql<PrivacyRequestRow[]>`
    select ${columns(sql)} from privacy_requests where request_id = ${requestId}`;
  return row;
}

export interface PrivacyRequestSearch {
  userId: string | null;
  kind: string | null;
  state: string | null;
  isOverdue: boolean | null;
  limit: number;
  offset: number;
  isDescending: boolean;
}

/** A page of the requests, those first that are due first, and how many there are in all. */
export async function listPrivacyRequests(
  sql: Sql,
  search: PrivacyRequestSearch,
): Promise<{ requests: PrivacyRequestRow[]; total: number }> {
  const { userId, kind, state, isOverdue, limit, offset } = search;
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const { rows: requests, total } = await countedPage(
    { limit, offset },
    (at) => sql<(PrivacyRequestRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from privacy_requests
    where (${userId}::text is null or user_id = ${userId}) and (${kind}::text is null or kind = ${kind})
      and (${state}::text is null or state = ${state})
      and (${isOverdue}::boolean is null or (closed_ts is null and due_ts < database_ms()) = ${isOverdue})
    order by due_ts ${direction}, request_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { requests, total };
}

/** How many of a user's wait for an answer. */
export async function countOpenRequests(
  sql: Sql,
  userId: string,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from privacy_requests where user_id = ${userId} and closed_ts is null`;
  return row!.count;
}
