import { createHash } from "node:crypto";
import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Edges } from "../../../edges.ts";
import { findCampaign } from "../../../storage/campaigns.ts";
import {
  findIncident,
  listIncidents,
  type IncidentRow,
  type IncidentSearch,
} from "../../../storage/incidents.ts";
import type { WriteRows } from "../../../storage/write.ts";
import type { AuditDraft } from "../../../storage/audit-draft.ts";
import { recordOf, type ActingAdministrator } from "../administrator.ts";
import { auditRecord } from "../audit-record.ts";

export type { IncidentRow };

type Needs = Pick<Edges, "committer" | "db" | "now" | "random">;

/** https://gdpr-info.eu/art-33-gdpr/ */
export const NOTIFY_WITHIN_MS = 72 * 60 * 60 * 1000;

/** Who handles an incident; the command line for a drill. */
type Handler = ActingAdministrator | "command line";

const nameOf = (by: Handler): string =>
  by === "command line" ? by : by.actor.userId;

function recordBy(
  by: Handler,
  incidentId: string,
  nowTs: number,
  details: JsonObject,
): AuditDraft {
  const target = `incident ${incidentId}`;
  if (by !== "command line") return recordOf(by, target, nowTs, details);
  const act = "incidents.write" as const;
  return auditRecord({ act, actor: by, target, details }, nowTs);
}

export type NewIncident = Omit<
  WriteRows["incidents"][number],
  "incidentId" | "openedBy"
>;

export const searchIncidents = (
  { db }: Pick<Edges, "db">,
  search: IncidentSearch,
): Promise<{ incidents: IncidentRow[]; total: number }> =>
  listIncidents(db, search);

/** @throws MatrixError M_NOT_FOUND */
export async function readIncident(
  { db }: Pick<Edges, "db">,
  incidentId: string,
): Promise<IncidentRow> {
  const incident = await findIncident(db, incidentId);
  if (incident) return incident;
  throw new MatrixError("M_NOT_FOUND", "There is no such incident.");
}

/** From when it became known its clock runs. */
export async function openIncident(
  edges: Needs,
  by: Handler,
  incident: NewIncident,
): Promise<IncidentRow> {
  assertSpan(incident);
  const incidentId = edges.random.token(16);
  const openedBy = nameOf(by);
  const { severity, awareTs } = incident;
  await edges.committer.commit({
    positions: 0,
    rows: { incidents: [{ ...incident, incidentId, openedBy }] },
    audit: [
      recordBy(by, incidentId, edges.now(), {
        ...{ opened: true, severity, aware_ts: awareTs },
      }),
    ],
  });
  return readIncident(edges, incidentId);
}

export type IncidentChange = Omit<
  WriteRows["incidentChanges"][number],
  "incidentId" | "closedBy" | "report"
>;

/**
 * Changes what is known of an incident, as it was at a version.
 * @throws MatrixError M_NOT_FOUND, M_BAD_STATE
 */
export async function changeIncident(
  edges: Needs,
  by: Handler,
  incidentId: string,
  change: IncidentChange,
): Promise<IncidentRow> {
  const { campaignId, notification } = change;
  if (campaignId !== undefined && !(await findCampaign(edges.db, campaignId)))
    throw new MatrixError("M_NOT_FOUND", "There is no such campaign.");
  const details = {
    changed: Object.keys(change).filter((name) => name !== "version"),
    ...(campaignId !== undefined && { campaign: campaignId }),
    ...(notification !== undefined && { notified: true }),
  };
  return commitChange(edges, by, { ...change, incidentId }, details);
}

/** Ends it with a report, of which the record holds a hash. */
export async function closeIncident(
  edges: Needs,
  by: Handler,
  incidentId: string,
  { version, report }: { version: number; report: string },
): Promise<IncidentRow> {
  const closedBy = nameOf(by);
  const change = { incidentId, version, report, closedBy };
  const digest = createHash("sha256").update(report).digest("hex");
  const details = { closed: true, report_sha256: digest };
  return commitChange(edges, by, change, details);
}

const changeKey = (incidentId: string, version: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["incident", incidentId, version]))
    .digest()
    .subarray(0, 16);

async function commitChange(
  edges: Needs,
  by: Handler,
  change: WriteRows["incidentChanges"][number],
  details: JsonObject,
): Promise<IncidentRow> {
  const { incidentId, version } = change;
  const standing = await readIncident(edges, incidentId);
  if (standing.state === "closed")
    throw new MatrixError("M_BAD_STATE", "This incident is closed.");
  if (standing.version !== version) throw changedMeanwhile(standing.version);
  assertSpan({
    fromTs: change.fromTs ?? standing.fromTs,
    toTs: change.toTs ?? standing.toTs,
  });
  const outcome = await edges.committer.commit({
    positions: 0,
    // Each version is changed once.
    idempotency: [{ key: changeKey(incidentId, version), answer: "" }],
    rows: { incidentChanges: [change] },
    audit: [recordBy(by, incidentId, edges.now(), details)],
  });
  const after = await readIncident(edges, incidentId);
  if (outcome.status !== "committed") throw changedMeanwhile(after.version);
  return after;
}

const changedMeanwhile = (version: number): MatrixError =>
  new MatrixError(
    "M_BAD_STATE",
    "Somebody else changed this incident. Look at it, and try again.",
    { "org.myelin.version": version },
  );

function assertSpan({
  fromTs,
  toTs,
}: Pick<NewIncident, "fromTs" | "toTs">): void {
  if (fromTs === null || toTs === null || fromTs <= toTs) return;
  throw new MatrixError(
    "M_INVALID_PARAM",
    "from_ts must not come after to_ts.",
  );
}
