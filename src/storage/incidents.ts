import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";

export type IncidentState = "open" | "closed";
export type IncidentSeverity = "low" | "medium" | "high";

export interface IncidentRow {
  incidentId: string;
  title: string;
  severity: IncidentSeverity;
  state: IncidentState;
  fromTs: number | null;
  toTs: number | null;
  summary: string;
  openedBy: string;
  openedTs: number;
  awareTs: number;
  notifiedTs: number | null;
  notification: string | null;
  campaignId: string | null;
  closedBy: string | null;
  closedTs: number | null;
  report: string | null;
  version: number;
  /** The database's time. */
  nowTs: number;
}

const columns = (sql: Sql) => sql`
  incident_id, title, severity, state, from_ts, to_ts, summary, opened_by, opened_ts, aware_ts, notified_ts, notification,
  campaign_id, closed_by, closed_ts, report, version, database_ms() as now_ts`;

export interface IncidentSearch {
  state: IncidentState | null;
  offset: number;
  limit: number;
  isDescending: boolean;
}

/** A page of the incidents, and how many there are in all. */
export async function listIncidents(
  sql: Sql,
  { state, offset, limit, isDescending }: IncidentSearch,
): Promise<{ incidents: IncidentRow[]; total: number }> {
  const order = isDescending ? sql`desc` : sql`asc`;
  const { rows: incidents, total } = await countedPage(
    { limit, offset },
    (at) => sql<(IncidentRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from incidents
    where ${state}::text is null or state = ${state}
    order by opened_ts ${order}, incident_id ${order} limit ${at.limit} offset ${at.offset}`,
  );
  return { incidents, total };
}

export async function findIncident(
  sql: Sql,
  incidentId: string,
): Promise<IncidentRow | undefined> {
  const [row] = await sql<IncidentRow[]>`
    select ${columns(sql)} from incidents where incident_id = ${incidentId}`;
  return row;
}

/** Incidents of which nobody was told, and that became known so long ago. */
export const listOverdueIncidents = (
  sql: Sql,
  ageMs: number,
  limit: number,
): Promise<Pick<IncidentRow, "incidentId" | "awareTs">[]> => sql<
  Pick<IncidentRow, "incidentId" | "awareTs">[]
>`
  select incident_id, aware_ts from incidents
  where state = 'open' and notified_ts is null and aware_ts <= database_ms() - ${ageMs}::bigint
    and not exists (
      select from alerts a where a.detector = 'incident_clock' and a.subject = incident_id and a.span = incidents.aware_ts)
  order by aware_ts limit ${limit}`;
