import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";
import { deleteOldRows } from "./delete-old-rows.ts";

export interface AlertRow {
  alertId: number;
  detector: string;
  severity: "low" | "medium" | "high";
  subject: string;
  span: number;
  userId: string | null;
  recordSeq: number | null;
  facts: string;
  isLocked: boolean;
  raisedTs: number;
  acknowledgedBy: string | null;
  acknowledgedTs: number | null;
  comment: string | null;
}

/** Null for anything. */
export interface AlertSearch {
  detector: string | null;
  severity: string | null;
  userId: string | null;
  isAcknowledged: boolean | null;
  offset: number;
  limit: number;
  isDescending: boolean;
}

const columns = (sql: Sql) => sql`
  alert_id, detector, severity, subject, span, user_id, record_seq, facts, is_locked, raised_ts,
  acknowledged_by, acknowledged_ts, comment`;

/** A page of the alerts, and how many there are in all. */
export async function listAlerts(
  sql: Sql,
  search: AlertSearch,
): Promise<{ alerts: AlertRow[]; total: number }> {
  const { detector, severity, userId, isAcknowledged } = search;
  const matching = sql`
    (${detector}::text is null or detector = ${detector})
    and (${severity}::text is null or severity = ${severity})
    and (${userId}::text is null or user_id = ${userId})
    and (${isAcknowledged}::boolean is null or (acknowledged_ts is not null) = ${isAcknowledged})`;
  const order = search.isDescending ? sql`desc` : sql`asc`;
  const alerts = await sql<AlertRow[]>`
    select ${columns(sql)} from alerts where ${matching}
    order by raised_ts ${order}, alert_id ${order} limit ${search.limit} offset ${search.offset}`;
  const [counted] = await sql<{ total: number }[]>`
    select count(*)::int as total from alerts where ${matching}`;
  return { alerts, total: counted!.total };
}

export async function findAlert(
  sql: Sql,
  alertId: number,
): Promise<AlertRow | undefined> {
  const [row] = await sql<AlertRow[]>`
    select ${columns(sql)} from alerts where alert_id = ${alertId}`;
  return row;
}

/** How many were not acknowledged. */
export async function countOpenAlerts(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from alerts where acknowledged_ts is null`;
  return row!.count;
}

/** Up to where something was read; 0 before it began. */
export async function findDetectorPlace(
  sql: Sql,
  name: string,
): Promise<number> {
  const [row] = await sql<{ seq: number }[]>`
    select seq from detector_places where name = ${name}`;
  return row?.seq ?? 0;
}

export async function setDetectorPlace(
  sql: Sql,
  lease: Lease,
  name: string,
  seq: number,
): Promise<void> {
  await sql`
    insert into detector_places as known (name, seq)
    select ${name}, ${seq}::bigint where exists (${heldLease(sql, lease)})
    on conflict (name) do update set seq = excluded.seq where known.seq < excluded.seq`;
}

/** The earliest record since a time; undefined where there is none. */
export async function findSeqSince(
  sql: Sql,
  ts: number,
): Promise<number | undefined> {
  const [row] = await sql<{ seq: number }[]>`
    select seq from audit_log where (facts).ts >= ${ts} order by (facts).ts limit 1`;
  return row?.seq;
}

export interface PlaceRow {
  userId: string;
  placeHash: string;
  kind: "country" | "network" | "client";
}

/** Of each user at the most: whoever comes from everywhere is at home nowhere. */
const MOST_PLACES = 500;

/** The places that these users are known from, those that they came from last. */
export async function listKnownPlaces(
  sql: Sql,
  userIds: readonly string[],
): Promise<PlaceRow[]> {
  if (userIds.length === 0) return [];
  return sql<PlaceRow[]>`
    select p.user_id, p.place_hash, p.kind
    from unnest(${userIds as string[]}::text[]) as asked cross join lateral (
      select user_id, place_hash, kind from known_places
      where user_id = asked order by seen_ts desc limit ${MOST_PLACES}) p`;
}

export async function rememberPlaces(
  sql: Sql,
  lease: Lease,
  places: readonly (PlaceRow & { seenTs: number })[],
): Promise<void> {
  if (places.length === 0) return;
  await sql`
    insert into known_places as known (user_id, place_hash, kind, seen_ts)
    select distinct on (user_id, place_hash) user_id, place_hash, kind, seen_ts
    from unnest(${places.map((row) => row.userId)}::text[], ${places.map((row) => row.placeHash)}::text[],
      ${places.map((row) => row.kind)}::text[], ${places.map((row) => row.seenTs)}::bigint[])
      as r(user_id, place_hash, kind, seen_ts)
    where exists (${heldLease(sql, lease)})
    order by user_id, place_hash, seen_ts desc
    on conflict (user_id, place_hash) do update set seen_ts = excluded.seen_ts
    where known.seen_ts < excluded.seen_ts`;
}

export const forgetPlaces = (
  sql: Sql,
  lease: Lease,
  ageMs: number,
  limit: number,
): Promise<number> =>
  deleteOldRows(
    sql,
    lease,
    { table: "known_places", time: "seen_ts" },
    ageMs,
    limit,
  );

export interface NewAdministrator {
  bindingId: number;
  userId: string;
  roleId: string;
  grantedBy: string;
}

/** Bindings that no alert was raised of, whoever wrote them. */
export function listUnreportedBindings(
  sql: Sql,
  limit: number,
): Promise<NewAdministrator[]> {
  return sql<NewAdministrator[]>`
    select binding_id, user_id, role_id, granted_by from role_bindings b
    where not exists (
      select from alerts a
      where a.detector = 'new_administrator' and a.subject = b.user_id and a.span = b.binding_id)
    order by binding_id limit ${limit}`;
}

export interface DownloadCount {
  userId: string;
  span: number;
  files: number;
  bytes: number;
}

export async function addDownloads(
  sql: Sql,
  counts: readonly DownloadCount[],
): Promise<void> {
  if (counts.length === 0) return;
  await sql`
    insert into download_counts as known (user_id, span, files, bytes)
    select * from unnest(${counts.map((row) => row.userId)}::text[], ${counts.map((row) => row.span)}::bigint[],
      ${counts.map((row) => row.files)}::bigint[], ${counts.map((row) => row.bytes)}::bigint[])
    order by 1, 2
    on conflict (user_id, span) do update set
      files = known.files + excluded.files, bytes = known.bytes + excluded.bytes`;
}

/** Who has fetched so much within one span, and was not reported for it. */
export function listHeavyDownloads(
  sql: Sql,
  least: { files: number; bytes: number },
  limit: number,
): Promise<DownloadCount[]> {
  return sql<DownloadCount[]>`
    select user_id, span, files, bytes from download_counts c
    where (files >= ${least.files} or bytes >= ${least.bytes}) and not exists (
      select from alerts a
      where a.detector = 'mass_download' and a.subject = c.user_id and a.span = c.span)
    order by span, user_id limit ${limit}`;
}

export const forgetDownloads = (
  sql: Sql,
  lease: Lease,
  ageMs: number,
  limit: number,
): Promise<number> =>
  deleteOldRows(
    sql,
    lease,
    { table: "download_counts", time: "span" },
    ageMs,
    limit,
  );

/** Stretches of the audit log that auditors have signed, in their order. */
export function listReviewedSpans(
  sql: Sql,
  limit: number,
): Promise<{ seq: number; ts: number; fromSeq: number; toSeq: number }[]> {
  return sql<{ seq: number; ts: number; fromSeq: number; toSeq: number }[]>`
    select seq, (facts).ts, (record::json->'after'->>'from_seq')::bigint as from_seq,
      (record::json->'after'->>'to_seq')::bigint as to_seq
    from audit_log
    where (facts).action = 'audit.review' and (facts).result = 'allowed'
      and record::json->'after'->>'to_seq' is not null
    order by seq desc limit ${limit}`;
}

/** When the first record after a place was written. */
export async function findTsAfter(
  sql: Sql,
  seq: number,
): Promise<number | undefined> {
  const [row] = await sql<{ ts: number }[]>`
    select (facts).ts from audit_log where seq > ${seq} order by seq limit 1`;
  return row?.ts;
}
