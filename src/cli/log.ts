import type { Writable } from "node:stream";
import { pino, type DestinationStream, type Logger } from "pino";
import type { Config } from "../config/schema.ts";
import { textLines } from "./log-text.ts";

/** Fields that hold secrets wherever someone should log a whole object. */
const SECRETS = [
  ...["password", "secret", "token", "access_token", "refresh_token"],
  ...["accessToken", "refreshToken", "authorization", "databaseUrl", "mac"],
];

/** Structured log of one process: a JSON object a line, or text for people. */
export function createLog(
  { level, format }: Config["log"],
  output: Writable,
  processIndex?: number,
): Logger {
  const destination: DestinationStream =
    format === "text"
      ? textLines(output)
      : { write: (line) => void output.write(line) };
  return pino(
    {
      level,
      base: processIndex === undefined ? {} : { process: processIndex },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
      redact: {
        paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: "[secret]",
      },
    },
    destination,
  );
}

/** Of an error, what we wrote ourselves: a driver's details quote people's data. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message,
    code: "code" in error ? error.code : undefined,
    stack,
    ...(cause instanceof Error &&
      depth < 5 && { cause: describeError(cause, depth + 1) }),
  };
}
