import type { RateLimitKind } from "../../domain/accounts/rate-limits.ts";
import { assertConsented } from "../../domain/privacy/consent.ts";
import type { Edges } from "../../edges.ts";
import type { Middleware } from "../context.ts";

/** What is done with the server's help for others to see: not what one needs to leave. */
const WITH_CONSENT: ReadonlySet<RateLimitKind> = new Set([
  ...(["message", "createRoom", "join", "invite", "upload"] as const),
]);

/**
 * Refuses whoever has not agreed to the policies as they are now.
 * https://spec.matrix.org/v1.19/client-server-api/#other-error-codes
 */
export function consent(edgesNow: (waitedMs: number) => Edges): Middleware {
  return async ({ state }, next) => {
    const { requester, route, waitedMs } = state;
    const { auth, method, rateLimit: kind, withoutConsent } = route.endpoint;
    const isAsked =
      auth === "user" &&
      method !== "get" &&
      kind &&
      WITH_CONSENT.has(kind) &&
      withoutConsent !== true;
    if (isAsked && requester)
      await assertConsented(edgesNow(waitedMs), requester.userId);
    return next();
  };
}
