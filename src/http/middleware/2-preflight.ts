import type { Middleware } from "../context.ts";
import { send } from "../send.ts";

/**
 * The answer to preflights, for any path.
 * https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
export const preflight: Middleware = (ctx, next) => {
  if (ctx.req.method !== "OPTIONS") return next();
  send(ctx, { status: 204, headers: { "Access-Control-Max-Age": "86400" } });
  return undefined;
};
