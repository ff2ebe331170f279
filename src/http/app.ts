import Koa from "koa";
import type { RateLimiter } from "../domain/accounts/rate-limits.ts";
import type { Authenticate } from "../domain/accounts/requester.ts";
import type { Can } from "../domain/admin/permission.ts";
import type { Edges } from "../edges.ts";
import { createAddressOf } from "./address.ts";
import { compileEndpoints } from "./compile.ts";
import type { Middleware, RequestState } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { accessLog } from "./middleware/1-access-log.ts";
import { responseHeaders } from "./middleware/2-response-headers.ts";
import { errors } from "./middleware/3-errors.ts";
import { route } from "./middleware/4-route.ts";
import { auditActs, auditEvents } from "./middleware/4-audit.ts";
import { authenticateRequest } from "./middleware/5-authenticate.ts";
import { rateLimit } from "./middleware/6-rate-limit.ts";
import { params, permission, type FindRoom } from "./middleware/7-params.ts";
import { body } from "./middleware/8-body.ts";
import { takeTurns } from "./middleware/9-turns.ts";
import { handle } from "./middleware/10-handle.ts";

export interface AppOptions {
  edges: Edges;
  /** What a request is handled with that has waited so long by now; `edges`, unless told. */
  edgesNow?: (waitedMs: number) => Edges;
  endpoints: readonly Endpoint[];
  authenticate: Authenticate;
  can: Can;
  /** For what administrators do to a room by its alias. */
  findRoom?: FindRoom;
  rateLimiter: Pick<RateLimiter, "take">;
  /** Addresses and CIDR ranges whose X-Forwarded-For is believed. */
  trustedProxies?: readonly string[];
  /** Whether `?access_token=` is accepted. */
  isQueryTokenAllowed?: boolean;
  /** How long a client may pause within a body, in ms. */
  bodyIdleMs?: number;
  /** What answers before the route table: health, pages. */
  pages?: readonly Middleware[];
}

/** Builds the app; throws for an endpoint that is not whole. It does not listen. */
export function createApp(options: AppOptions): Koa<RequestState> {
  const { edges, trustedProxies = [], bodyIdleMs = 30_000 } = options;
  const { edgesNow = () => edges } = options;
  const { log } = edges;
  const app = new Koa<RequestState>();
  const queue: Middleware[] = [
    accessLog(log, createAddressOf(trustedProxies)),
    responseHeaders,
    errors(log),
    ...(options.pages ?? []),
    route(compileEndpoints(options.endpoints)),
    auditActs({ edgesNow, limiter: options.rateLimiter }),
    authenticateRequest(
      options.authenticate,
      options.isQueryTokenAllowed ?? true,
    ),
    rateLimit(options.rateLimiter),
    params,
    permission(options.can, options.findRoom ?? (async () => undefined)),
    body(bodyIdleMs),
    takeTurns(),
    auditEvents({ edgesNow }),
    handle(edgesNow, bodyIdleMs),
  ];
  for (const middleware of queue) app.use(middleware);
  // Koa prints what fails after our own catch, such as a broken socket.
  app.silent = true;
  app.on("error", (error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : "";
    log.debug({ code }, "the answer could not be sent");
  });
  return app;
}
