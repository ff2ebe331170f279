/**
 * What a hostile part of a request has to be answered with.
 *
 * - `malformed`: no request of this endpoint may look so, 400
 * - `invalid`: the schema says no, 400, or 413 for what is too large
 * - `refused`: any refusal, since it names nothing that is there
 * - `unserved`: the path is there and the method is not, 405
 * - `ignored`: no fault of the request's form
 * - `answered`: the specification leaves it open; never the server's fault
 */
export type Expectation =
  "malformed" | "invalid" | "refused" | "unserved" | "ignored" | "answered";

const FORM_ERRORS = ["M_BAD_JSON", "M_NOT_JSON", "M_MISSING_PARAM"];

/** What of an answer is not as expected, or undefined. */
export function faultIn(
  expectation: Expectation,
  status: number,
  errcode: unknown,
): string | undefined {
  if (isMet(expectation, status, String(errcode))) return undefined;
  return `${status} ${String(errcode)} is not ${expectation}`;
}

function isMet(
  expectation: Expectation,
  status: number,
  errcode: string,
): boolean {
  switch (expectation) {
    case "malformed":
      return status === 400;
    case "invalid":
      return status === 400 || status === 413;
    case "refused":
      return status >= 400 && status < 500;
    case "unserved":
      return status === 405;
    case "ignored":
      return status < 500 && !FORM_ERRORS.includes(errcode);
    case "answered":
      // 502 tells of another server, which was named and cannot be reached.
      return status < 500 || status === 502;
  }
}

/** Whether nothing of the kind may ever be accepted. */
export const isStrict = (expectation: Expectation): boolean =>
  expectation !== "ignored" && expectation !== "answered";
