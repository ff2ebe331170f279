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
    const { messageLimit } = requester ?? {};
    if (messageLimit === null && kind !== "admin") return;
    const begun = performance.now();
    const key = requester?.userId ?? limitKeyOf(ip);
    if (messageLimit && kind === "message")
      await limiter.take(kind, key, 1, messageLimit);
    else await limiter.take(kind, key);
    state.waitedMs = waitedMs + performance.now() - begun;
  };
  return (ctx, next) => {
    const kind = ctx.state.route.endpoint.rateLimit;
    return kind === undefined ? next() : take(ctx, kind).then(next);
  };
}
