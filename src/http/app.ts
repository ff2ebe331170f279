import Koa from "koa";
import type { RateLimiter } from "../domain/accounts/rate-limits.ts";
import type { Authenticate } from "../domain/accounts/requester.ts";
import type { Can } from "../domain/admin/permission.ts";
import type { Asker, Edges, Log } from "../edges.ts";
import { createAddressOf } from "./address.ts";
import { compileEndpoints } from "./compile.ts";
import type { Context, Middleware, RequestState } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { accessLog } from "./middleware/1-access-log.ts";
import { preflight } from "./middleware/2-preflight.ts";
import { errors } from "./middleware/3-errors.ts";
import { route } from "./middleware/4-route.ts";
import { auditActs, auditEvents } from "./middleware/4-audit.ts";
import { authenticateRequest } from "./middleware/5-authenticate.ts";
import { consent } from "./middleware/6-consent.ts";
import { rateLimit } from "./middleware/6-rate-limit.ts";
import { params, permission, type FindRoom } from "./middleware/7-params.ts";
import { body } from "./middleware/8-body.ts";
import { approve } from "./middleware/9-approve.ts";
import { takeTurns } from "./middleware/9-turns.ts";
import type { Listener } from "./listener.ts";
import { handle } from "./middleware/10-handle.ts";
import { createRefuse } from "./refuse.ts";

export interface AppOptions {
  edges: Edges;
  /** What a request is handled with that has waited so long by now; `edges`, unless told. */
  edgesNow?: (waitedMs: number, asker?: Asker) => Edges;
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
  /** Whether nobody sends before they have agreed to the policies. */
  isConsentRequired?: boolean;
  /** How long a client may pause within a body, in ms. */
  bodyIdleMs?: number;
  /** What answers before the route table: health, pages. */
  pages?: readonly Middleware[];
}

/** Builds the app; throws for an endpoint that is not whole. It does not listen. */
export function createApp(options: AppOptions): Listener {
  const { edges, trustedProxies = [], bodyIdleMs = 30_000 } = options;
  const { edgesNow = () => edges } = options;
  const { log } = edges;
  const refuse = createRefuse(log);
  const queue: Middleware[] = [
    accessLog(log, createAddressOf(trustedProxies)),
    preflight,
    errors(refuse),
    ...(options.pages ?? []),
    route(compileEndpoints(options.endpoints)),
    auditActs({ edgesNow, limiter: options.rateLimiter }),
    authenticateRequest(
      options.authenticate,
      options.isQueryTokenAllowed ?? true,
    ),
    rateLimit(options.rateLimiter),
    ...(options.isConsentRequired ? [consent(edgesNow)] : []),
    params,
    permission(options.can, options.findRoom ?? (async () => undefined)),
    body(bodyIdleMs),
    takeTurns(),
    approve(edgesNow, bodyIdleMs),
    auditEvents({ edgesNow }),
    handle(edgesNow, bodyIdleMs, { log, refuse }),
  ];
  return listenerOf(queue, log);
}

type Step = (ctx: Context) => Promise<unknown>;

/**
 * Koa's middleware and contexts, but not its way to answer, which keeps the whole chain,
 * its headers and two listeners for each request that waits: send.ts answers.
 */
function listenerOf(chain: readonly Middleware[], log: Log): Listener {
  const koa = new Koa<RequestState>();
  const begin = chain.reduceRight<Step>(
    (next, middleware) => (ctx) =>
      middleware(ctx, () => next(ctx)) as Promise<unknown>,
    async () => undefined,
  );
  return async (req, res) => {
    try {
      await begin(koa.createContext<RequestState>(req, res));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      log.error({ code }, "a request could not be answered");
      res.destroy();
    }
  };
}
