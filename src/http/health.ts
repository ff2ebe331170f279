import type { Middleware } from "./context.ts";

/**
 * `/health/live`: the process answers. `/health/ready`: it can serve, as
 * `isReady` says; a check that throws means no.
 */
export function createHealthRoutes(
  isReady: () => Promise<boolean>,
): Middleware {
  return async (ctx, next) => {
    const isAsked = ctx.method === "GET" || ctx.method === "HEAD";
    if (isAsked && ctx.state.path === "/health/live") {
      ctx.body = { status: "live" };
    } else if (isAsked && ctx.state.path === "/health/ready") {
      const ready = await isReady().catch(() => false);
      ctx.status = ready ? 200 : 503;
      ctx.body = { status: ready ? "ready" : "not ready" };
    } else {
      await next();
    }
  };
}
