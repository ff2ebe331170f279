import { HttpError } from "./http-error.ts";
import { pairsOf } from "./query.ts";

/**
 * The one access token of a request, or undefined. Two of them are refused, and
 * not with `M_UNKNOWN_TOKEN`, which would make a client drop its session.
 */
export function findAccessToken(
  rawHeaders: readonly string[],
  query: string,
  isQueryAllowed: boolean,
): string | undefined {
  const headers = rawHeaders.filter(
    (_, i) => i % 2 === 1 && isAuthorization(rawHeaders[i - 1]),
  );
  const found = headers.flatMap((v) => /^Bearer +([^ ]+)$/i.exec(v)?.[1] ?? []);
  if (isQueryAllowed) {
    for (const [name, value] of pairsOf(query)) {
      if (name === "access_token" && value !== "") found.push(value);
    }
  }
  if (found.length > 1 || headers.length > 1) {
    throw new HttpError(
      400,
      "M_INVALID_PARAM",
      "The request holds more than one access token.",
    );
  }
  return found[0];
}

const isAuthorization = (name: string | undefined): boolean =>
  name?.toLowerCase() === "authorization";
