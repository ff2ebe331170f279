import { Readable, pipeline } from "node:stream";
import type { Exchange } from "./context.ts";

export interface Sent {
  status: number;
  /** JSON, unless one of these says otherwise. */
  headers?: Readonly<Record<string, string>>;
  /** Left out where the status, or HEAD, has it so. */
  body?: string | Buffer | Readable;
}

const REQUEST_HEADERS = "X-Requested-With, Content-Type, Authorization";

/**
 * CORS and security headers of every answer, errors too.
 * https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
const COMMON: readonly string[] = [
  ...["Access-Control-Allow-Origin", "*"],
  ...["Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"],
  ...["Access-Control-Allow-Headers", REQUEST_HEADERS],
  ...["Access-Control-Expose-Headers", "ETag, Retry-After, X-Request-Id"],
  ...["X-Content-Type-Options", "nosniff"],
  // Pages loosen this for what they need; JSON needs nothing.
  "Content-Security-Policy",
  "default-src 'none'; frame-ancestors 'none'",
  ...["Cache-Control", "no-store"],
];

const allowing = (more: string): Readonly<Record<string, string>> => ({
  "Access-Control-Allow-Headers": `${REQUEST_HEADERS}, ${more}`,
});

/** Where more may be sent than the headers of all requests. */
const CONDITIONAL = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous/";
const CONDITIONAL_HEADERS = allowing("If-Match, If-None-Match");
/** Why an administrator asks. */
const ADMINISTRATIVE = /^\/_(?:myelin|synapse|matrix\/client\/[^/]+)\/admin\//;
const ADMINISTRATIVE_HEADERS = allowing("X-Myelin-Case, X-Myelin-Reason");

const JSON_TYPE = "application/json; charset=utf-8";
const NONE: Readonly<Record<string, string>> = {};

/** Writes the status, all headers and the body at once; nothing of them is held before. */
export function send({ req, res, state }: Exchange, sent: Sent): void {
  const { status, headers = NONE, body } = sent;
  if (res.headersSent || res.destroyed) return drop(body);
  const allowed = allowedAt(state.path);
  const own = allowed ? { ...allowed, ...headers } : headers;
  const all = [...COMMON, "X-Request-Id", state.requestId];
  const isBodiless = status === 204 || status === 304;
  if (!isBodiless) {
    all.push("Content-Type", JSON_TYPE);
    if (body !== undefined && !(body instanceof Readable))
      all.push("Content-Length", String(Buffer.byteLength(body)));
  }
  for (const name in own) put(all, name, own[name]!);
  res.writeHead(status, all);
  if (isBodiless || req.method === "HEAD" || body === undefined) {
    drop(body);
    res.end();
  } else if (body instanceof Readable) {
    // What breaks off ends in the middle, which the client sees.
    pipeline(body, res, () => undefined);
  } else {
    res.end(body);
  }
}

function allowedAt(path: string): Sent["headers"] {
  if (path.startsWith(CONDITIONAL)) return CONDITIONAL_HEADERS;
  return ADMINISTRATIVE.test(path) ? ADMINISTRATIVE_HEADERS : undefined;
}

/** Sets a header in place of the common one. */
function put(all: string[], name: string, value: string): void {
  const wanted = name.toLowerCase();
  for (let i = 0; i < all.length; i += 2) {
    if (all[i]!.toLowerCase() === wanted) {
      all[i + 1] = value;
      return;
    }
  }
  all.push(name, value);
}

function drop(body: Sent["body"]): void {
  if (body instanceof Readable) body.destroy();
}
