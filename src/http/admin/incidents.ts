import {
  readBlastRadius,
  type BlastRadius,
} from "../../domain/admin/incidents/blast-radius.ts";
import {
  endSessions,
  findSessionsToEnd,
} from "../../domain/admin/incidents/end-sessions.ts";
import {
  changeIncident,
  closeIncident,
  NOTIFY_WITHIN_MS,
  openIncident,
  readIncident,
  searchIncidents,
  type IncidentRow,
} from "../../domain/admin/incidents/incidents.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  COUNT,
  INTEGER,
  keptText,
  named,
  object,
  oneOf,
  orNull,
  TEXT,
  TIME,
} from "../json-schema.ts";
import { reply } from "../reply.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { groundsProperties, native, type GroundsQuery } from "./tools.ts";

const INCIDENTS = native("/incidents");
const INCIDENT = `${INCIDENTS}/:incidentId`;
type OneIncident = { params: { incidentId: string } };

const incidentAnswer = (incident: IncidentRow) => ({
  incident_id: incident.incidentId,
  title: incident.title,
  severity: incident.severity,
  state: incident.state,
  summary: incident.summary,
  from_ts: incident.fromTs,
  to_ts: incident.toTs,
  opened_by: incident.openedBy,
  opened_ts: incident.openedTs,
  clock: clockAnswer(incident),
  notification: incident.notification,
  campaign_id: incident.campaignId,
  closed_by: incident.closedBy,
  closed_ts: incident.closedTs,
  report: incident.report,
  version: incident.version,
});

const FACTS = named(
  "Incident",
  object({
    incident_id: TEXT,
    title: TEXT,
    severity: oneOf(["low", "medium", "high"]),
    state: oneOf(["open", "closed"]),
    summary: TEXT,
    from_ts: orNull(TIME),
    to_ts: orNull(TIME),
    opened_by: TEXT,
    opened_ts: TIME,
    clock: object({
      ...{ aware_ts: TIME, due_ts: TIME, notified_ts: orNull(TIME) },
      ...{ remaining_ms: orNull(INTEGER), overdue: BOOLEAN },
    }),
    notification: orNull(TEXT),
    campaign_id: orNull(TEXT),
    closed_by: orNull(TEXT),
    closed_ts: orNull(TIME),
    report: orNull(TEXT),
    version: INTEGER,
  }),
);

/** How long there is to tell the authority, from when it became known. */
function clockAnswer({ awareTs, notifiedTs, nowTs }: IncidentRow) {
  const dueTs = awareTs + NOTIFY_WITHIN_MS;
  return {
    aware_ts: awareTs,
    due_ts: dueTs,
    notified_ts: notifiedTs,
    remaining_ms: notifiedTs === null ? Math.max(0, dueTs - nowTs) : null,
    overdue: (notifiedTs ?? nowTs) > dueTs,
  };
}

/** As this server gives them out. */
const ID = { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" };
const time = { type: "integer", minimum: 0, maximum: 8_640_000_000_000_000 };
const severity = { type: "string", enum: ["low", "medium", "high"] };
type Severity = IncidentRow["severity"];

const postIncident = endpoint<{
  body: {
    title: string;
    severity: Severity;
    summary: string;
    from_ts?: number;
    to_ts?: number;
    aware_ts?: number;
  };
}>({
  method: "post",
  path: INCIDENTS,
  auth: "admin",
  permission: "incidents.write",
  rateLimit: "admin",
  body: {
    type: "object",
    additionalProperties: false,
    properties: {
      ...{ title: keptText(256), severity, summary: keptText(8192) },
      ...{ from_ts: time, to_ts: time, aware_ts: time },
    },
    required: ["title", "severity", "summary"],
  },
  doc: {
    id: "openIncident",
    says: "Opens an incident, whose clock of 72 hours begins.",
    answers: FACTS,
  },
  async handle(edges, { body, ...by }) {
    const incident = await openIncident(edges, by, {
      title: body.title,
      severity: body.severity,
      summary: body.summary,
      fromTs: body.from_ts ?? null,
      toTs: body.to_ts ?? null,
      awareTs: body.aware_ts ?? null,
    });
    return incidentAnswer(incident);
  },
});

const getIncidents = endpoint<{
  query: PageQuery & { state?: IncidentRow["state"] };
}>({
  method: "get",
  path: INCIDENTS,
  auth: "admin",
  permission: "incidents.read",
  rateLimit: "admin",
  query: listQuery(["opened_ts"], {
    state: { type: "string", enum: ["open", "closed"] },
  }),
  doc: {
    id: "listIncidents",
    says: "Lists incidents.",
    answers: listAnswer("incidents", FACTS),
  },
  async handle(edges, { query }) {
    const { incidents, total } = await searchIncidents(edges, {
      ...pageOf(query),
      state: query.state ?? null,
    });
    return {
      incidents: incidents.map(incidentAnswer),
      ...pageAnswer(query, incidents.length, total),
    };
  },
});

const getIncident = endpoint<OneIncident>({
  method: "get",
  path: INCIDENT,
  auth: "admin",
  permission: "incidents.read",
  rateLimit: "admin",
  doc: {
    id: "getIncident",
    says: "Reads an incident.",
    answers: FACTS,
  },
  async handle(edges, { params }) {
    return incidentAnswer(await readIncident(edges, params.incidentId));
  },
});

const version = { type: "integer", minimum: 1, maximum: 1_000_000_000 };

const putIncident = endpoint<
  OneIncident & {
    body: {
      version: number;
      title?: string;
      severity?: Severity;
      summary?: string;
      from_ts?: number;
      to_ts?: number;
      campaign_id?: string;
      notification?: string;
    };
  }
>({
  method: "put",
  path: INCIDENT,
  auth: "admin",
  permission: "incidents.write",
  rateLimit: "admin",
  body: {
    type: "object",
    additionalProperties: false,
    properties: {
      ...{ version, title: keptText(256), severity, summary: keptText(8192) },
      ...{ from_ts: time, to_ts: time, campaign_id: ID },
      notification: keptText(2048),
    },
    required: ["version"],
  },
  doc: {
    id: "changeIncident",
    says: "Changes an incident: what is known of it, and that the authority was told.",
    answers: FACTS,
  },
  async handle(edges, { params, body, ...by }) {
    const { from_ts: fromTs, to_ts: toTs, campaign_id, ...rest } = body;
    const incident = await changeIncident(edges, by, params.incidentId, {
      ...rest,
      ...(fromTs !== undefined && { fromTs }),
      ...(toTs !== undefined && { toTs }),
      ...(campaign_id !== undefined && { campaignId: campaign_id }),
    });
    return incidentAnswer(incident);
  },
});

const postCloseIncident = endpoint<
  OneIncident & { body: { version: number; report: string } }
>({
  method: "post",
  path: `${INCIDENT}/close`,
  auth: "admin",
  permission: "incidents.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { version, report: keptText(32_768) },
    required: ["version", "report"],
  },
  doc: {
    id: "closeIncident",
    says: "Closes an incident with a report.",
    answers: FACTS,
  },
  async handle(edges, { params, body, ...by }) {
    const { incidentId } = params;
    return incidentAnswer(await closeIncident(edges, by, incidentId, body));
  },
});

const radiusAnswer = (radius: BlastRadius) => ({
  records: radius.records,
  first_ts: radius.firstTs,
  last_ts: radius.lastTs,
  actions: [...radius.actions].map(([action, counts]) => ({
    ...{ action, ...counts },
  })),
  touched: radius.touched,
  sessions: radius.sessions.map(({ userId, deviceId }) => ({
    ...{ user_id: userId, device_id: deviceId },
  })),
  token_ids: radius.tokenIds,
  addresses: radius.addresses,
  cut: radius.isCut,
  ...(radius.nextSeq !== undefined && { next_seq: radius.nextSeq }),
});

const ACTION = object({
  ...{ action: TEXT, allowed: COUNT, denied: COUNT, failed: COUNT },
});
const TOUCHED = object({
  ...{ type: orNull(TEXT), id: orNull(TEXT), reads: COUNT, changes: COUNT },
});
const RADIUS = object(
  {
    records: COUNT,
    first_ts: orNull(TIME),
    last_ts: orNull(TIME),
    actions: arrayOf(ACTION),
    touched: arrayOf(TOUCHED),
    sessions: arrayOf(
      object({ user_id: orNull(TEXT), device_id: orNull(TEXT) }),
    ),
    token_ids: arrayOf(INTEGER),
    addresses: arrayOf(TEXT),
    cut: BOOLEAN,
  },
  { next_seq: INTEGER },
);

/** What a user, a token or an address read and changed in the time of the incident. */
const getBlastRadius = endpoint<
  OneIncident & {
    query: GroundsQuery & {
      actor?: string;
      token_id?: number;
      ip?: string;
      from_seq?: number;
    };
  }
>({
  method: "get",
  path: `${INCIDENT}/blast-radius`,
  auth: "admin",
  permission: "audit.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...groundsProperties,
      actor: keptText(255),
      token_id: {
        type: "integer",
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
      },
      ip: keptText(64),
      from_seq: {
        type: "integer",
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
      },
    },
  },
  doc: {
    id: "readBlastRadius",
    says: "Reads from the audit log what a user, a token or an address did in the time of an incident.",
    answers: RADIUS,
  },
  async handle(edges, { params, query }) {
    const suspect = {
      ...(query.actor !== undefined && { actor: query.actor }),
      ...(query.token_id !== undefined && { tokenId: query.token_id }),
      ...(query.ip !== undefined && { ip: query.ip }),
    };
    const { from_seq: fromSeq = 1 } = query;
    return radiusAnswer(
      await readBlastRadius(edges, params.incidentId, suspect, fromSeq),
    );
  },
});

interface EndingBody {
  sessions: { user_id: string; device_id?: string }[];
  wipe?: boolean;
  admin_tokens?: boolean;
}

const sessionsOf = ({ sessions }: EndingBody) =>
  sessions.map(({ user_id: userId, device_id: deviceId }) => ({
    userId,
    ...(deviceId !== undefined && { deviceId }),
  }));

const postEndSessions = endpoint<OneIncident & { body: EndingBody }>({
  method: "post",
  path: `${INCIDENT}/end-sessions`,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  body: {
    type: "object",
    additionalProperties: false,
    properties: {
      sessions: {
        type: "array",
        minItems: 1,
        maxItems: 1_000,
        items: {
          type: "object",
          properties: { user_id: keptText(255), device_id: keptText(255) },
          required: ["user_id"],
        },
      },
      wipe: { type: "boolean" },
      admin_tokens: { type: "boolean" },
    },
    required: ["sessions"],
  },
  doc: {
    id: "endSessionsOfIncident",
    also: [202],
    says: "Ends the sessions of many, as a task.",
    answers: object({ job_id: TEXT, users: COUNT }),
  },
  validate: (edges, { params, body, ...by }) =>
    findSessionsToEnd(edges, by, params.incidentId, sessionsOf(body)),
  async handle(edges, { params, body, ...by }) {
    const { jobId, users } = await endSessions(edges, by, params.incidentId, {
      sessions: sessionsOf(body),
      wipes: body.wipe ?? false,
      withTokens: body.admin_tokens ?? false,
    });
    return reply({ status: 202, body: { job_id: jobId, users } });
  },
});

export const incidentEndpoints = [
  ...[postIncident, getIncidents, getIncident, putIncident],
  ...[postCloseIncident, getBlastRadius, postEndSessions],
];
