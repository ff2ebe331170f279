import type { IncomingMessage } from "node:http";
import type { Log } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { Context, Middleware } from "../context.ts";
import { fieldsOf } from "../error-fields.ts";
import { ClientGone, HttpError } from "../http-error.ts";
import { statusOf } from "../status.ts";
import { isUnavailable } from "../unavailable.ts";

/** The one catch: what was meant for the client is answered, all else is blanked and logged. */
export function errors(log: Log): Middleware {
  const settle = (ctx: Context, error: unknown): void => {
    if (error instanceof ClientGone || ctx.res.destroyed) {
      ctx.respond = false;
    } else if (error instanceof MatrixError) {
      answer(ctx, error);
    } else if (isUnavailable(error)) {
      log.error(fieldsOf(ctx, error), "the database cannot serve");
      answer(ctx, unavailable);
    } else {
      log.error(fieldsOf(ctx, error), "internal error");
      answer(ctx, internal);
    }
  };
  return (ctx, next) => next().catch((error) => settle(ctx, error));
}

const internal = new HttpError(500, "M_UNKNOWN", "Internal server error.");
const unavailable = new HttpError(
  503,
  "M_UNKNOWN",
  "The server cannot answer at the moment. Try again shortly.",
  { "Retry-After": "2" },
);

function answer(ctx: Context, error: MatrixError): void {
  ctx.status = statusFor(ctx, error);
  if (error instanceof HttpError) ctx.set({ ...error.headers });
  const wait = error.extra["retry_after_ms"];
  if (typeof wait === "number") {
    ctx.set("Retry-After", String(Math.max(1, Math.ceil(wait / 1000))));
  }
  if (isMuchLeft(ctx.req)) ctx.set("Connection", "close");
  ctx.type = "application/json";
  ctx.body = JSON.stringify({
    ...error.extra,
    errcode: error.errcode,
    error: error.message,
  });
}

const LITTLE_BYTES = 64 * 1024;

/** Node reads what is left of a body to its end, unless the connection ends with the answer. */
function isMuchLeft({ complete, headers }: IncomingMessage): boolean {
  const isUntold = headers["transfer-encoding"] !== undefined;
  const length = Number(headers["content-length"] ?? 0);
  return !complete && (isUntold || length > LITTLE_BYTES);
}

function statusFor(ctx: Context, error: MatrixError): number {
  if (error instanceof HttpError) return error.status;
  // Errors before the route is known have no endpoint.
  const overrides = ctx.state.route?.endpoint.statuses;
  return overrides?.[error.errcode] ?? statusOf[error.errcode];
}
