import type { RateLimiter } from "../../domain/accounts/rate-limits.ts";
import { limitKeyOf } from "../address.ts";
import type { Middleware } from "../context.ts";

/** Takes from the bucket of the user who asks, or of the address where none is known. */
export function rateLimit(limiter: Pick<RateLimiter, "take">): Middleware {
  return async (ctx, next) => {
    const { route, requester, ip, waitedMs = 0 } = ctx.state;
    const kind = route.endpoint.rateLimit;
    if (kind !== undefined) {
      const begun = performance.now();
      await limiter.take(kind, requester?.userId ?? limitKeyOf(ip));
      ctx.state.waitedMs = waitedMs + performance.now() - begun;
    }
    await next();
  };
}
