import type { ComposedEdges } from "./compose-edges.ts";
import { trustedProxiesOf } from "./compose-connections.ts";
import type { Config } from "./config/schema.ts";
import { createAuthenticate } from "./domain/accounts/authenticate.ts";
import { rateLimiterOf } from "./domain/accounts/rate-limits.ts";
import { createCan } from "./domain/admin/can.ts";
import type { Asker } from "./edges.ts";
import { findRoomOfAlias } from "./domain/directory/resolve-room.ts";
import { followEpoch } from "./domain/sync/epoch.ts";
import { forClients } from "./http/admin/paths.ts";
import { createApp } from "./http/app.ts";
import type { Middleware } from "./http/context.ts";
import { endpoints } from "./http/endpoints.ts";
import type { Listener } from "./http/listener.ts";

export interface Apps {
  /** Without the admin API, unless the settings say otherwise. */
  client: Listener;
  /** Every endpoint: consoles log in where they administrate. */
  admin: Listener;
}

/** The apps of one process: what clients are served, and administrators. */
export function composeApps(
  config: Config,
  composed: Pick<ComposedEdges, "edges" | "edgesOfRequest">,
  pages: readonly Middleware[],
): Apps {
  const { edges } = composed;
  followEpoch(edges);
  const options = {
    edges,
    edgesNow: (waitedMs: number, asker?: Asker) =>
      composed.edgesOfRequest(waitedMs, asker),
    pages,
    authenticate: createAuthenticate(edges),
    can: createCan(edges),
    findRoom: (alias: string) => findRoomOfAlias(edges, alias),
    rateLimiter: rateLimiterOf(edges),
    trustedProxies: trustedProxiesOf(config),
    isQueryTokenAllowed: config.accessTokenInQuery,
    isConsentRequired: edges.settings.consent.isRequired,
    bodyIdleMs: config.limits.bodyIdleSeconds * 1000,
  };
  const admin = createApp({ ...options, endpoints });
  if (config.listeners.admin.onClientListener) return { client: admin, admin };
  const served = forClients(endpoints);
  return { client: createApp({ ...options, endpoints: served }), admin };
}
