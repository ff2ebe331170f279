import type { CompiledEndpoint, Middleware } from "../context.ts";
import { HttpError } from "../http-error.ts";
import type { Router } from "../router.ts";

/** Node would pass thousands of headers that fit its 16 KiB; nobody needs them. */
const MAX_HEADERS = 100;

export function route(router: Router<CompiledEndpoint>): Middleware {
  return (ctx, next) => {
    if (ctx.req.rawHeaders.length > 2 * MAX_HEADERS) {
      throw new HttpError(431, "M_TOO_LARGE", "Too many headers.");
    }
    const asked = ctx.req.method ?? "";
    const method = asked === "HEAD" ? "GET" : asked;
    const { value, params } = router.match(method, ctx.state.path);
    ctx.state.route = value;
    ctx.state.segments = params;
    return next();
  };
}
