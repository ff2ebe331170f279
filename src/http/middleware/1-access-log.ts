import { randomBytes } from "node:crypto";
import type { Log } from "../../edges.ts";
import { RequestState, type Middleware } from "../context.ts";

/**
 * Names the request and writes one line when its answer has left. The line
 * holds the path alone: tokens stand in headers, bodies and the query.
 */
export function accessLog(
  log: Log,
  addressOf: (peer: string, forwardedFor: string | undefined) => string,
): Middleware {
  const run = randomBytes(4).toString("hex");
  let count = 0;
  return (ctx, next) => {
    const { req, res } = ctx;
    const start = performance.now();
    const [path = "", query = ""] = splitOnce(originFormOf(req.url ?? ""));
    const forwarded = req.headers["x-forwarded-for"];
    const ip = addressOf(
      req.socket.remoteAddress ?? "",
      Array.isArray(forwarded) ? forwarded.join(",") : forwarded,
    );
    const requestId = `${run}-${(count += 1).toString(36)}`;
    const state = new RequestState(requestId, ip, path, query);
    ctx.state = state;
    res.on("close", () => {
      if (!res.writableFinished) state.caller.leave();
      log.info(
        {
          request: requestId,
          method: req.method,
          path: state.path,
          route: state.route?.endpoint.path,
          longPoll: state.route?.endpoint.longPoll,
          status: res.writableFinished ? res.statusCode : 499,
          ms: Math.round((performance.now() - start) * 10) / 10,
          ip: state.ip,
          user: state.requester?.userId,
        },
        "request",
      );
    });
    return next();
  };
}

/** The scheme and authority of a target in absolute form. */
const ABSOLUTE = /^https?:\/\/[^/?#@\\]+(?=[/?]|$)/i;

/**
 * "A server MUST accept the absolute-form in requests even though most HTTP/1.1
 * clients will only send the absolute-form to a proxy."
 * https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
function originFormOf(target: string): string {
  const [prefix] = ABSOLUTE.exec(target) ?? [];
  if (prefix === undefined) return target;
  const rest = target.slice(prefix.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function splitOnce(url: string): string[] {
  const at = url.indexOf("?");
  return at === -1 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}
