import type {
  RateLimiter,
  RateLimitKind,
} from "../../domain/accounts/rate-limits.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import type { Context, Middleware } from "../context.ts";

/** Takes from the bucket of the user who asks, or of the address where none is known. */
export function rateLimit(limiter: Pick<RateLimiter, "take">): Middleware {
  const take = async ({ state }: Context, kind: RateLimitKind) => {
    const { requester, ip, waitedMs } = state;
    const begun = performance.now();
    await limiter.take(kind, requester?.userId ?? limitKeyOf(ip));
    state.waitedMs = waitedMs + performance.now() - begun;
  };
  return (ctx, next) => {
    const kind = ctx.state.route.endpoint.rateLimit;
    return kind === undefined ? next() : take(ctx, kind).then(next);
  };
}
