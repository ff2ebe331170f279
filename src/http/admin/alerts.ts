import { DETECTORS } from "../../core/detectors.ts";
import {
  acknowledgeAlert,
  getAlert,
  searchAlerts,
  type Alert,
} from "../../domain/admin/alerts/read-alerts.ts";
import { readReviewsDue } from "../../domain/admin/reviews-due.ts";
import { endpoint } from "../endpoint.ts";
import {
  BOOLEAN,
  COUNT,
  INTEGER,
  named,
  object,
  oneOf,
  open,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { numberParam } from "./names.ts";
import { pageAnswer, pageOf, type PageQuery } from "./paging.ts";
import { native } from "./tools.ts";
import { AUDIT_RECORD } from "./audit-record-schema.ts";
import { listAnswer, listQuery } from "./paging.ts";

const SEVERITIES = ["low", "medium", "high"];

const ALERT = named(
  "Alert",
  object(
    {
      alert_id: INTEGER,
      detector: oneOf(DETECTORS),
      severity: oneOf(SEVERITIES),
      user_id: orNull(USER_ID),
      raised_ts: TIME,
      facts: open("What the detector saw."),
      locked: BOOLEAN,
      record_seq: orNull(INTEGER),
      acknowledged_by: orNull(USER_ID),
      acknowledged_ts: orNull(TIME),
      comment: orNull(TEXT),
    },
    { record: AUDIT_RECORD },
  ),
);

const answerOf = (alert: Alert) => ({
  alert_id: alert.alertId,
  detector: alert.detector,
  severity: alert.severity,
  user_id: alert.userId,
  raised_ts: alert.raisedTs,
  facts: alert.facts,
  locked: alert.isLocked,
  record_seq: alert.recordSeq,
  ...(alert.record && { record: alert.record }),
  acknowledged_by: alert.acknowledgedBy,
  acknowledged_ts: alert.acknowledgedTs,
  comment: alert.comment,
});

interface Search extends PageQuery {
  detector?: string;
  severity?: string;
  user_id?: string;
  acknowledged?: boolean;
}

export const getAlerts = endpoint<{ query: Search }>({
  method: "get",
  path: native("/alerts"),
  auth: "admin",
  permission: "audit.read",
  rateLimit: "admin",
  query: listQuery(["raised_ts"], {
    detector: oneOf(DETECTORS),
    severity: oneOf(SEVERITIES),
    user_id: { type: "string", maxLength: 255 },
    acknowledged: { type: "boolean" },
  }),
  doc: {
    id: "listAlerts",
    says: "Lists what was remarkable in the audit log.",
    answers: listAnswer("alerts", ALERT),
  },
  async handle(edges, { query }) {
    const { alerts, total } = await searchAlerts(edges, {
      ...pageOf(query),
      detector: query.detector ?? null,
      severity: query.severity ?? null,
      userId: query.user_id ?? null,
      isAcknowledged: query.acknowledged ?? null,
    });
    return {
      alerts: alerts.map(answerOf),
      ...pageAnswer(query, alerts.length, total),
    };
  },
});

type OneAlert = { params: { alertId: number } };

export const getOneAlert = endpoint<OneAlert>({
  method: "get",
  path: native("/alerts/:alertId"),
  params: { alertId: numberParam },
  auth: "admin",
  permission: "audit.read",
  rateLimit: "admin",
  doc: {
    id: "getAlert",
    says: "Reads an alert, with the record that made it one.",
    answers: ALERT,
  },
  async handle(edges, { params }) {
    return answerOf(await getAlert(edges, params.alertId));
  },
});

export const postAcknowledge = endpoint<
  OneAlert & { body: { comment: string } }
>({
  method: "post",
  path: native("/alerts/:alertId/acknowledge"),
  params: { alertId: numberParam },
  auth: "admin",
  permission: "audit.review",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { comment: { type: "string", minLength: 1, maxLength: 1024 } },
    required: ["comment"],
  },
  doc: {
    id: "acknowledgeAlert",
    says: "Notes what an auditor found behind an alert.",
    answers: ALERT,
  },
  async handle(edges, { params, body, ...by }) {
    const { alertId } = params;
    return answerOf(await acknowledgeAlert(edges, by, alertId, body.comment));
  },
});

/** What of the log waits for an auditor's signature. */
export const getReviewsDue = endpoint({
  method: "get",
  path: native("/audit/reviews/due"),
  auth: "admin",
  permission: "audit.review",
  rateLimit: "admin",
  doc: {
    id: "getReviewsDue",
    says: "Tells what of the audit log waits to be reviewed.",
    answers: object({
      due: BOOLEAN,
      due_ts: orNull(TIME),
      from_seq: orNull(INTEGER),
      to_seq: orNull(INTEGER),
      last_review: orNull(object({ seq: INTEGER, ts: TIME, to_seq: INTEGER })),
      open_alerts: COUNT,
    }),
  },
  async handle(edges) {
    const due = await readReviewsDue(edges);
    const { lastReview: last } = due;
    return {
      due: due.isDue,
      due_ts: due.dueTs,
      from_seq: due.fromSeq,
      to_seq: due.toSeq,
      last_review: last && { seq: last.seq, ts: last.ts, to_seq: last.toSeq },
      open_alerts: due.openAlerts,
    };
  },
});
