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
  const visible: DestinationStream = {
    write: (line) => void output.write(line.replace(UNSEEN, escape)),
  };
  const destination = format === "text" ? textLines(visible) : visible;
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

/**
 * What JSON leaves as it is, though terminals and editors obey it: C1 controls,
 * directions of writing, other ends of lines, and what has no width.
 */
const UNSEEN =
  /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const escape = (sign: string): string =>
  `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

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
