import { MatrixError } from "../../core/errors.ts";
import {
  findPurgeable,
  readPurge,
  schedulePurge,
  type PurgePoint,
} from "../../domain/admin/purge-history.ts";
import {
  findRedactable,
  readRedactions,
  scheduleRedactions,
  type UserRedaction,
} from "../../domain/admin/redact-user.ts";
import { endpoint } from "../endpoint.ts";
import { object, TEXT } from "../json-schema.ts";
import { userParam } from "./names.ts";
import { native, synapse } from "./tools.ts";

interface PurgeBody {
  purge_up_to_event_id?: string | null;
  purge_up_to_ts?: number | null;
  delete_local_events?: boolean | null;
}

/** https://element-hq.github.io/synapse/latest/admin_api/purge_history_api.html */
export const postPurgeHistory = endpoint<{
  params: { roomId: string; eventId: string };
  body: PurgeBody;
}>({
  method: "post",
  path: synapse("/purge_history/:roomId/:eventId"),
  also: [synapse("/purge_history/:roomId"), native("/rooms/:roomId/purge")],
  auth: "admin",
  permission: "retention.purge",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      purge_up_to_event_id: { type: ["string", "null"], maxLength: 255 },
      purge_up_to_ts: { type: ["integer", "null"], minimum: 0 },
      delete_local_events: { type: ["boolean", "null"] },
    },
  },
  doc: {
    id: "purgeHistory",
    says: "Destroys a room’s history up to a time or an event, as a task.",
    answers: object({ purge_id: TEXT }),
  },
  validate: async (edges, { params: { roomId, eventId }, body }) =>
    findPurgeable(edges, roomId, pointOf(eventId, body)),
  async handle(edges, { params, body, ...by }) {
    const purgeId = await schedulePurge(edges, by, params.roomId, {
      point: pointOf(params.eventId, body),
      deletesLocal: body.delete_local_events ?? false,
    });
    return { purge_id: purgeId };
  },
});

function pointOf(
  inPath: string,
  { purge_up_to_event_id: inBody, purge_up_to_ts: ts }: PurgeBody,
): PurgePoint {
  const eventId = inPath === "" ? (inBody ?? undefined) : inPath;
  if (eventId !== undefined) return { eventId };
  if (ts !== undefined && ts !== null) return { ts };
  throw new MatrixError(
    "M_BAD_JSON",
    "purge_up_to_event_id or purge_up_to_ts must say where the purge ends.",
  );
}

/** https://element-hq.github.io/synapse/latest/admin_api/purge_history_api.html#purge-status-query */
export const getPurgeStatus = endpoint<{ params: { jobId: string } }>({
  method: "get",
  path: synapse("/purge_history_status/:jobId"),
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const purge = await readPurge(edges, params.jobId);
    const { state, error, notBefore, held } = purge;
    if (state === "cancelled")
      return { status: "failed", error: "It was taken back." };
    if (state === "scheduled")
      return { status: "active", "org.myelin.not_before": notBefore };
    return {
      status: state,
      ...(error !== null && { error }),
      ...(held > 0 && { "org.myelin.held": held }),
    };
  },
});

interface RedactBody {
  rooms: string[];
  reason?: string | null;
  limit?: number | null;
  use_admin?: boolean | null;
  before_ts?: number | null;
  after_ts?: number | null;
}

const USUAL_LIMIT = 1_000;

const wantedOf = (body: RedactBody): UserRedaction => ({
  rooms: body.rooms,
  reason: body.reason ?? null,
  limit: body.limit ?? USUAL_LIMIT,
  usesAdmin: body.use_admin ?? false,
  beforeTs: body.before_ts ?? null,
  afterTs: body.after_ts ?? null,
});

/** https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#redact-all-the-events-of-a-user */
export const postRedactUser = endpoint<{
  params: { userId: string };
  body: RedactBody;
}>({
  method: "post",
  path: synapse("/user/:userId/redact"),
  also: [native("/users/:userId/redact")],
  params: { userId: userParam },
  auth: "admin",
  permission: "events.redact",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      rooms: {
        type: "array",
        maxItems: 10_000,
        items: { type: "string", maxLength: 255 },
      },
      reason: { type: ["string", "null"], maxLength: 1024 },
      limit: { type: ["integer", "null"], minimum: 1 },
      use_admin: { type: ["boolean", "null"] },
      before_ts: { type: ["integer", "null"] },
      after_ts: { type: ["integer", "null"] },
    },
    required: ["rooms"],
  },
  doc: {
    id: "redactUser",
    says: "Redacts what a user wrote, as a task.",
    answers: object({ redact_id: TEXT }),
  },
  validate: (edges, { params, body }) =>
    findRedactable(edges, params.userId, wantedOf(body)),
  async handle(edges, { params, body, ...by }) {
    const { userId } = params;
    const wanted = wantedOf(body);
    const redactId = await scheduleRedactions(edges, by, userId, wanted);
    return { redact_id: redactId };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#check-the-status-of-a-redaction-process */
export const getRedactStatus = endpoint<{ params: { jobId: string } }>({
  method: "get",
  path: synapse("/user/redact_status/:jobId"),
  auth: "admin",
  permission: "jobs.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const { job, failed } = await readRedactions(edges, params.jobId);
    const { state, error } = job;
    return {
      status: state,
      ...(state === "complete" && { failed_redactions: failed }),
      ...(error !== null && { error }),
    };
  },
});
