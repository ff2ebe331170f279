import { createHash } from "node:crypto";
import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Edges } from "../../../edges.ts";
import {
  findAlert,
  listAlerts,
  type AlertRow,
  type AlertSearch,
} from "../../../storage/alerts.ts";
import { listAuditRowsOf } from "../../../storage/audit-log.ts";
import { recordOf, type ActingAdministrator } from "../administrator.ts";
import { openRecords, type OpenedRecord } from "../open-records.ts";

type Reads = Pick<Edges, "db" | "keyring">;

export interface Alert extends Omit<AlertRow, "facts"> {
  facts: JsonObject;
  /** What made it one. */
  record: OpenedRecord | undefined;
}

export async function searchAlerts(
  edges: Reads,
  search: AlertSearch,
): Promise<{ alerts: Alert[]; total: number }> {
  const { alerts, total } = await listAlerts(edges.db, search);
  return { alerts: await withRecords(edges, alerts), total };
}

/** @throws MatrixError M_NOT_FOUND */
export async function getAlert(edges: Reads, alertId: number): Promise<Alert> {
  const row = await findAlert(edges.db, alertId);
  if (!row) throw new MatrixError("M_NOT_FOUND", "There is no such alert.");
  const [alert] = await withRecords(edges, [row]);
  return alert!;
}

async function withRecords(
  edges: Reads,
  rows: readonly AlertRow[],
): Promise<Alert[]> {
  const seqs = rows.flatMap(({ recordSeq }) => recordSeq ?? []);
  const records = await openRecords(
    edges,
    await listAuditRowsOf(edges.db, seqs),
  );
  const bySeq = new Map(records.map((record) => [record.seq, record]));
  return rows.map((row) => ({
    ...row,
    facts: JSON.parse(row.facts) as JsonObject,
    record: bySeq.get(row.recordSeq ?? -1),
  }));
}

/**
 * Notes what an auditor found behind an alert. Nobody does so of what is about themselves.
 * @throws MatrixError M_FORBIDDEN, M_NOT_FOUND, M_UNKNOWN where somebody did before
 */
export async function acknowledgeAlert(
  edges: Reads & Pick<Edges, "committer" | "now">,
  by: ActingAdministrator,
  alertId: number,
  comment: string,
): Promise<Alert> {
  const alert = await getAlert(edges, alertId);
  const { userId } = by.requester;
  if (alert.userId === userId)
    throw new MatrixError("M_FORBIDDEN", "This alert is about yourself.");
  if (alert.acknowledgedTs !== null) throw isAcknowledged();
  const outcome = await edges.committer.commit({
    positions: 0,
    idempotency: [{ key: claimOf(alertId), answer: userId }],
    activeUsers: [userId],
    rows: {
      alertAcknowledgements: [{ alertId, acknowledgedBy: userId, comment }],
    },
    audit: [
      {
        ...recordOf(by, `alert ${alertId}`, edges.now(), { alert_id: alertId }),
        reason: comment,
      },
    ],
  });
  if (outcome.status !== "committed") throw isAcknowledged();
  return getAlert(edges, alertId);
}

const claimOf = (alertId: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["alert acknowledged", alertId]))
    .digest()
    .subarray(0, 16);

const isAcknowledged = (): MatrixError =>
  new MatrixError("M_UNKNOWN", "This alert was acknowledged already.");
