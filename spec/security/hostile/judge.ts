import { faultIn, type Expectation } from "./expectation.ts";
import type { Answer } from "../../support/server.ts";

/** What an answer must never tell: where the code is, what it asks of the database, what went wrong in it. */
const LEAKS: readonly RegExp[] = [
  /\bat [\w.<> ]+ \(|\bat file:|\.[jt]s:\d+/,
  /node_modules|\/(?:src|build|home|work|tmp|usr|var)\//,
  /\b(?:select|insert into|update|delete from)\s+\w+\s+(?:from|set|values|where)\b/i,
  /postgres|relation "|violates|constraint|syntax error|invalid byte sequence/i,
  /\bundefined\b|\[object |\bNaN\b/,
  /\b(?:Type|Range|Syntax|Reference|Postgres)Error\b|Cannot read|is not a function/,
];

/** What is wrong with the answer to a hostile request, or undefined. */
export function judge(
  expectation: Expectation,
  { status, body, text, headers }: Answer,
): string | undefined {
  const unexpected = faultIn(expectation, status, body["errcode"]);
  if (unexpected !== undefined) return unexpected;
  if (status < 400) return undefined;
  if (!/^application\/json\b/.test(headers["content-type"] ?? ""))
    return `${status} is no JSON`;
  const leak = LEAKS.find((pattern) => pattern.test(text));
  if (leak) return `${status} tells ${String(leak.exec(text)?.[0])}`;
  // Interactive authentication answers with its flows; the error comes with a failed stage.
  if (status === 401 && Array.isArray(body["flows"])) return undefined;
  const { errcode, error } = body;
  if (
    typeof errcode !== "string" ||
    !/^(?:M|IO_ELEMENT)_[A-Z0-9_]+$/.test(errcode)
  )
    return `${status} has no errcode`;
  if (typeof error !== "string" || error === "")
    return `${status} says nothing`;
  return undefined;
}
