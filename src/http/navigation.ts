import { MatrixError } from "../core/errors.ts";
import type { RequestInfo } from "./endpoint.ts";

/**
 * Throws `M_FORBIDDEN` where a browser asks in order to show the answer as a page of
 * its own: what strangers have left here is for programs alone.
 * https://www.w3.org/TR/fetch-metadata/
 */
export function assertNoNavigation(headers: RequestInfo["headers"]): void {
  if (headers["sec-fetch-mode"] !== "navigate") return;
  throw new MatrixError("M_FORBIDDEN", "This is not to be looked at.");
}
