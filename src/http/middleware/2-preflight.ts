import type { Middleware } from "../context.ts";

const REQUEST_HEADERS = "X-Requested-With, Content-Type, Authorization";

const HEADERS: readonly (readonly [string, string])[] = [
  ["Access-Control-Allow-Origin", "*"],
  ["Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"],
  ["Access-Control-Allow-Headers", REQUEST_HEADERS],
  ["Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id"],
  ["X-Content-Type-Options", "nosniff"],
  // Pages loosen this for what they need; JSON needs nothing.
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
  ["Cache-Control", "no-store"],
];

/** Where more may be sent than the headers of all requests. */
const CONDITIONAL = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous/";

/**
 * CORS and security headers on every answer, errors too, and the answer to
 * preflights, for any path.
 * https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
export const responseHeaders: Middleware = (ctx, next) => {
  for (const [name, value] of HEADERS) ctx.res.setHeader(name, value);
  if (ctx.state.path.startsWith(CONDITIONAL)) {
    ctx.set(
      "Access-Control-Allow-Headers",
      `${REQUEST_HEADERS}, If-Match, If-None-Match`,
    );
  }
  if (ctx.method !== "OPTIONS") return next();
  ctx.set("Access-Control-Max-Age", "86400");
  ctx.status = 204;
  return undefined;
};
