import { MatrixError } from "../../core/errors.ts";
import type { RateLimiter } from "../../domain/accounts/rate-limits.ts";
import { resourceOf } from "../../domain/admin/audit-record.ts";
import {
  AuditTrail,
  type RequestDraft,
  type RequestResult,
} from "../../domain/admin/audit-trail.ts";
import type { Edges } from "../../edges.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { hashOfSecret } from "../../util/secret-hash.ts";
import type { Context, Middleware, Recording } from "../context.ts";
import { isReply } from "../reply.ts";
import { isUnavailable } from "../unavailable.ts";

interface AuditOptions {
  edgesNow: (waitedMs: number) => Edges;
  limiter: Pick<RateLimiter, "take">;
}

/**
 * Every request to a route that names a permission leaves one record, whatever becomes of
 * it: with its effect in the same commit, else before its answer. Only what a rate limit
 * turned away leaves none, or the log could be flooded by whoever wants to.
 */
export function auditActs({ edgesNow, limiter }: AuditOptions): Middleware {
  const record = async (ctx: Context, next: () => Promise<unknown>) => {
    const { state } = ctx;
    const { permission = "" } = state.route.endpoint;
    const trail = new AuditTrail(edgesNow(0).committer, () =>
      draftOf(ctx, permission, edgesNow(0)),
    );
    const recording: Recording = {
      trail,
      answered: () => trail.settle("allowed"),
      async refused(error) {
        const [result, errcode] = resultOf(error);
        if (errcode === "M_LIMIT_EXCEEDED" || isUnavailable(error)) return;
        if (!state.requester) await limiter.take("admin", limitKeyOf(state.ip));
        await trail.settle(result, errcode);
      },
    };
    state.recording = recording;
    try {
      await next();
    } catch (error) {
      // It has not come to the endpoint, which tells of itself what became of it.
      await recording.refused(error);
      throw error;
    }
  };
  return (ctx, next) =>
    ctx.state.route.endpoint.permission === undefined
      ? next()
      : record(ctx, next);
}

/** What says that somebody was refused; all else is a mistake of a client. */
const REFUSALS = new Set([
  ...["M_FORBIDDEN", "M_UNAUTHORIZED", "M_UNKNOWN_TOKEN"],
  ...["M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED"],
]);

/** Records events of authentication, once it is known whom the request is of. */
export function auditEvents({
  edgesNow,
}: Pick<AuditOptions, "edgesNow">): Middleware {
  const recordingOf = (ctx: Context, action: string): Recording => {
    const trail = new AuditTrail(
      edgesNow(0).committer,
      () => draftOf(ctx, action, edgesNow(0)),
      ctx.state.route.endpoint.auditsNoted,
    );
    return {
      trail,
      async answered(answer) {
        if (!isReply(answer) || answer.status !== 401)
          return trail.settle("allowed");
        // An answer that asks for a stage of authentication decides nothing.
        const refused = errcodeIn(answer.body);
        if (refused !== undefined) await trail.settle("denied", refused);
      },
      async refused(error) {
        const [result, errcode] = resultOf(error);
        if (REFUSALS.has(errcode)) await trail.settle(result, errcode);
      },
    };
  };
  return (ctx, next) => {
    const { audit } = ctx.state.route.endpoint;
    if (audit !== undefined) ctx.state.recording = recordingOf(ctx, audit);
    return next();
  };
}

const DENIALS = new Set([
  ...REFUSALS,
  "M_MISSING_TOKEN",
  "M_GUEST_ACCESS_FORBIDDEN",
  "ORG_MYELIN_APPROVAL_REQUIRED",
  "ORG_MYELIN_CASE_REQUIRED",
]);

const resultOf = (error: unknown): [RequestResult, string] => {
  if (!(error instanceof MatrixError)) return ["failed", "M_UNKNOWN"];
  const { errcode } = error;
  return [DENIALS.has(errcode) ? "denied" : "failed", errcode];
};

function errcodeIn(body: unknown): string | undefined {
  const { errcode } = body as { errcode?: unknown };
  return typeof errcode === "string" ? errcode : undefined;
}

/** What is known of the request by now. */
function draftOf(
  { state, req }: Context,
  action: string,
  { now, settings }: Pick<Edges, "now" | "settings">,
): RequestDraft {
  const { requester, requestId, ip, roles } = state;
  const origin = {
    ip,
    userAgent: req.headers["user-agent"] ?? "",
    ...countryIn(req.headers, settings.alerts?.countryHeader),
  };
  return {
    ts: now(),
    action,
    actor: requester
      ? {
          kind: "user",
          userId: requester.userId,
          deviceId: requester.deviceId,
          tokenId: requester.tokenId,
          ...(roles && { roles }),
          ...origin,
        }
      : { kind: "nobody", ...origin },
    resource: touchedBy(state, action),
    result: "allowed",
    requestId,
    ...headersOf(req.headers),
  };
}

/** From which country a request comes, where a proxy tells it. */
function countryIn(
  headers: Context["req"]["headers"],
  header: string | undefined,
): { country?: string } {
  const told = header === undefined ? undefined : headers[header];
  return typeof told === "string" && /^[A-Za-z]{2}$/.test(told)
    ? { country: told.toUpperCase() }
    : {};
}

const headersOf = (headers: Context["req"]["headers"]) => {
  const reason = headers["x-myelin-reason"];
  const caseId = headers["x-myelin-case"];
  return {
    ...(typeof reason === "string" && { reason }),
    ...(typeof caseId === "string" && { caseId }),
  };
};

/** What the path names; the path of who was not let in may say anything. */
function touchedBy(
  { params, requester, route }: Context["state"],
  action: string,
): RequestDraft["resource"] {
  const { permission, resource } = route.endpoint;
  const [area = action] = action.split(".");
  if (!params || !requester) return { type: area };
  if (permission === undefined) return { type: "user", id: requester.userId };
  const { userId, roomId } = resource?.(params) ?? {};
  const named = [userId, roomId, params["userId"], params["roomId"]]
    .concat(params["roomIdOrAlias"])
    .find((id) => typeof id === "string" && id !== "");
  if (typeof named === "string") return resourceOf(action, named);
  const [name, value] = Object.entries(params)[0] ?? [];
  if (name === undefined || value === undefined || value === "")
    return { type: area };
  const type = name.replace(/Id$/, "").toLowerCase();
  const text = String(value);
  const isSecret = /token$/i.test(name);
  return { type, id: isSecret ? hashOfSecret(text) : text };
}
