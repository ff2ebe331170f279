import type Koa from "koa";
import type { ComposedEdges } from "./compose-edges.ts";
import { trustedProxiesOf } from "./compose-connections.ts";
import type { Config } from "./config/schema.ts";
import { createAuthenticate } from "./domain/accounts/authenticate.ts";
import { rateLimiterOf } from "./domain/accounts/rate-limits.ts";
import { canByFlag } from "./domain/admin/permission.ts";
import { followEpoch } from "./domain/sync/epoch.ts";
import { createApp } from "./http/app.ts";
import type { Middleware, RequestState } from "./http/context.ts";
import { endpoints } from "./http/endpoints.ts";

/** The app of one process, with every endpoint. */
export function composeApp(
  config: Config,
  composed: Pick<ComposedEdges, "edges" | "edgesOfRequest">,
  pages: readonly Middleware[],
): Koa<RequestState> {
  const { edges } = composed;
  followEpoch(edges);
  return createApp({
    edges,
    edgesNow: (waitedMs) => composed.edgesOfRequest(waitedMs),
    endpoints,
    pages,
    authenticate: createAuthenticate(edges),
    can: canByFlag,
    rateLimiter: rateLimiterOf(edges),
    trustedProxies: trustedProxiesOf(config),
    isQueryTokenAllowed: config.accessTokenInQuery,
    bodyIdleMs: config.limits.bodyIdleSeconds * 1000,
  });
}
