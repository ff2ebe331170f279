import type { Sql } from "./database.ts";

/** A link of the chain as it stands. */
export interface AuditRow {
  seq: number;
  /** Canonical JSON, sealed parts and all. */
  record: string;
  prevHash: Uint8Array;
  hash: Uint8Array;
}

/** What a search goes by; null for anything. */
export interface AuditFilter {
  actorType: string | null;
  /** A user's stand-in. */
  actorId: string | null;
  /** Ends in `*` for all that begin so. */
  action: string | null;
  resourceType: string | null;
  resourceId: string | null;
  result: string | null;
  fromTs: number | null;
  toTs: number | null;
}

export const NO_FILTER: AuditFilter = {
  ...{ actorType: null, actorId: null, action: null, result: null },
  ...{ resourceType: null, resourceId: null, fromTs: null, toTs: null },
};

/** Above all that an action's name may hold. */
const LAST_CHARACTER = "\u{10ffff}";

/** Only what is asked stands in it: the plan of what may be null as well reads the whole log. */
function matching(sql: Sql, filter: AuditFilter) {
  const { actorType, actorId, action, result, fromTs, toTs } = filter;
  const { resourceType, resourceId } = filter;
  const isFamily = action?.endsWith("*");
  const family = action?.slice(0, -1) ?? "";
  const asked = [
    actorType !== null && sql`((facts).actor).type = ${actorType}`,
    actorId !== null && sql`((facts).actor).id = ${actorId}`,
    action !== null && !isFamily && sql`(facts).action = ${action}`,
    isFamily &&
      sql`(facts).action >= ${family} and (facts).action < ${family + LAST_CHARACTER}`,
    resourceType !== null && sql`((facts).resource).type = ${resourceType}`,
    resourceId !== null && sql`((facts).resource).id = ${resourceId}`,
    result !== null && sql`(facts).result = ${result}`,
    fromTs !== null && sql`(facts).ts >= ${fromTs}`,
    toTs !== null && sql`(facts).ts < ${toTs}`,
  ].filter((part) => part !== false && part !== undefined);
  return asked.reduce((all, part) => sql`${all} and ${part}`, sql`true`);
}

/** Up to so many matches are counted: nobody turns more pages. */
export const MOST_COUNTED = 100_000;

/**
 * A page of what a search finds, and how much there is in all; of more than
 * `mostCounted`, that it is more.
 */
export async function searchAuditLog(
  sql: Sql,
  filter: AuditFilter,
  page: { offset: number; limit: number; isDescending: boolean },
  mostCounted = MOST_COUNTED,
): Promise<{ rows: AuditRow[]; total: number; isMore: boolean }> {
  const order = page.isDescending ? sql`desc` : sql`asc`;
  const rows = await sql<AuditRow[]>`
    select seq, record, prev_hash, hash from audit_log where ${matching(sql, filter)}
    order by seq ${order} limit ${page.limit} offset ${page.offset}`;
  const [counted] = await sql<{ total: number }[]>`
    select count(*)::int as total from (
      select from audit_log where ${matching(sql, filter)} limit ${mostCounted + 1}) found`;
  const { total } = counted!;
  const isMore = total > mostCounted;
  return { rows, total: Math.min(total, mostCounted), isMore };
}

/** The next records after one, up to another, that a search finds. */
export const listAuditRows = (
  sql: Sql,
  filter: AuditFilter,
  span: { after: number; upTo: number; limit: number },
): Promise<AuditRow[]> => sql<AuditRow[]>`
  select seq, record, prev_hash, hash from audit_log
  where seq > ${span.after} and seq <= ${span.upTo} and ${matching(sql, filter)}
  order by seq limit ${span.limit}`;

/** These links; those that there are. */
export async function listAuditRowsOf(
  sql: Sql,
  seqs: readonly number[],
): Promise<AuditRow[]> {
  if (seqs.length === 0) return [];
  return sql<AuditRow[]>`
    select seq, record, prev_hash, hash from audit_log where seq = any(${seqs as number[]}::bigint[])`;
}

/** Whether somebody did one of these to somebody, since then; both by their stand-ins. */
export async function hasActedUpon(
  sql: Sql,
  [actorId, resourceId]: readonly [string, string],
  actions: readonly string[],
  fromTs: number,
): Promise<boolean> {
  const [row] = await sql`
    select from audit_log
    where ((facts).resource).id = ${resourceId} and ((facts).actor).id = ${actorId}
      and (facts).action = any(${actions as string[]}::text[])
      and (facts).result = 'allowed' and (facts).ts >= ${fromTs} limit 1`;
  return row !== undefined;
}

/** The newest link; undefined for an empty log. */
export async function findAuditHead(sql: Sql): Promise<AuditRow | undefined> {
  const [row] = await sql<AuditRow[]>`
    select seq, record, prev_hash, hash from audit_log order by seq desc limit 1`;
  return row;
}

/** Where the log begins that is kept; undefined for an empty one. */
export async function findFirstSeq(sql: Sql): Promise<number | undefined> {
  const [row] = await sql<{ seq: number }[]>`
    select seq from audit_log order by seq limit 1`;
  return row?.seq;
}

export async function findAuditRow(
  sql: Sql,
  seq: number,
): Promise<AuditRow | undefined> {
  const [row] = await sql<AuditRow[]>`
    select seq, record, prev_hash, hash from audit_log where seq = ${seq}`;
  return row;
}
