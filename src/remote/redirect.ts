import type { EgressRequest } from "./egress.ts";

/** One request on the way. */
export interface Hop {
  url: URL;
  method: NonNullable<EgressRequest["method"]>;
  headers: Readonly<Record<string, string>>;
  body?: NonNullable<EgressRequest["body"]>;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Nobody but whom they were meant for gets these. */
const PRIVATE = /^(?:authorization|cookie|proxy-authorization|x-.*)$/i;
const OF_A_BODY = /^content-/i;

/**
 * The request that an answer sends us on to, if it does.
 * https://www.rfc-editor.org/rfc/rfc9110#section-15.4
 */
export function findRedirect(
  hop: Hop,
  status: number,
  location: string | undefined,
  readTarget: (text: string, base: URL) => URL,
): Hop | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  const url = readTarget(location, hop.url);
  const isSame = url.origin === hop.url.origin;
  // "a user agent MAY change the request method from POST to GET", as all do.
  const isTurned = hop.method === "POST" && (status === 301 || status === 302);
  const keepsBody = status !== 303 && !isTurned;
  const names = Object.keys(hop.headers).filter(
    (name) =>
      (isSame || !PRIVATE.test(name)) && (keepsBody || !OF_A_BODY.test(name)),
  );
  return {
    url,
    method: keepsBody ? hop.method : "GET",
    headers: Object.fromEntries(
      names.map((name) => [name, hop.headers[name]!]),
    ),
    ...(keepsBody && hop.body !== undefined && { body: hop.body }),
  };
}
