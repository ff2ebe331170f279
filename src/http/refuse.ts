import type { IncomingMessage } from "node:http";
import { MatrixError } from "../core/errors.ts";
import type { Log } from "../edges.ts";
import type { Exchange } from "./context.ts";
import { fieldsOf } from "./error-fields.ts";
import { ClientGone, HttpError } from "./http-error.ts";
import { send } from "./send.ts";
import { statusOf } from "./status.ts";
import { isUnavailable } from "./unavailable.ts";

/** Answers what was thrown. */
export type Refuse = (exchange: Exchange, error: unknown) => void;

/** What was meant for the client is answered, all else is blanked and logged. */
export function createRefuse(log: Log): Refuse {
  return (exchange, error) => {
    if (error instanceof ClientGone || exchange.res.destroyed) return;
    if (error instanceof MatrixError) {
      answer(exchange, error);
    } else if (isUnavailable(error)) {
      log.error(fieldsOf(exchange, error), "the database cannot serve");
      answer(exchange, unavailable);
    } else {
      log.error(fieldsOf(exchange, error), "internal error");
      answer(exchange, internal);
    }
  };
}

const internal = new HttpError(500, "M_UNKNOWN", "Internal server error.");
const unavailable = new HttpError(
  503,
  "M_UNKNOWN",
  "The server cannot answer at the moment. Try again shortly.",
  { "Retry-After": "2" },
);

function answer(exchange: Exchange, error: MatrixError): void {
  const wait = error.extra["retry_after_ms"];
  send(exchange, {
    status: statusFor(exchange, error),
    headers: {
      ...(error instanceof HttpError && error.headers),
      ...(typeof wait === "number" && {
        "Retry-After": String(Math.max(1, Math.ceil(wait / 1000))),
      }),
      ...(isMuchLeft(exchange.req) && { Connection: "close" }),
    },
    body: JSON.stringify({
      ...error.extra,
      errcode: error.errcode,
      error: error.message,
    }),
  });
}

const LITTLE_BYTES = 64 * 1024;

/** Node reads what is left of a body to its end, unless the connection ends with the answer. */
function isMuchLeft({ complete, headers }: IncomingMessage): boolean {
  const isUntold = headers["transfer-encoding"] !== undefined;
  const length = Number(headers["content-length"] ?? 0);
  return !complete && (isUntold || length > LITTLE_BYTES);
}

function statusFor({ state }: Exchange, error: MatrixError): number {
  if (error instanceof HttpError) return error.status;
  // Errors before the route is known have no endpoint.
  const overrides = state.route?.endpoint.statuses;
  return overrides?.[error.errcode] ?? statusOf[error.errcode];
}
