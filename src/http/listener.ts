import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { limitConnections } from "./connection-limits.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import { isMalformed } from "./request-form.ts";

/** What answers requests; it never rejects. */
export type Listener = (
  req: IncomingMessage,
  res: ServerResponse,
) => Promise<void>;

export interface ListenerOptions {
  /** With it the server speaks TLS; `setSecureContext` renews it while running. */
  tls?: SecureContextOptions;
  /** How long a client may take for its headers, in ms. */
  headersTimeoutMs?: number;
  /** Without them there may be as many as the system allows. */
  connections?: ConnectionLimits;
}

/**
 * An HTTP server with the limits that Node leaves wide: connections, slow headers, large
 * headers, and requests that two readers could read as two.
 */
export function createListener(
  listener: Listener,
  { tls, headersTimeoutMs = 10_000, connections }: ListenerOptions = {},
): Server {
  const limits = {
    maxHeaderSize: 16 * 1024,
    headersTimeout: headersTimeoutMs,
    // Bodies have an idle limit of their own; a large upload may take longer.
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
    insecureHTTPParser: false,
    // It is looked at with the rest of the request's form.
    requireHostHeader: false,
  };
  const latest = new WeakMap<Duplex, Exchange>();
  /** What was answered is let go: a connection may rest, or wait, for minutes. */
  function letGo(this: ServerResponse): void {
    const { socket } = this.req;
    if (latest.get(socket)?.res === this) latest.delete(socket);
  }
  /** Connections that were refused something: nothing after it is a request. */
  const ending = new WeakSet<Duplex>();
  const note = (req: IncomingMessage, res: ServerResponse): void => {
    const { socket } = req;
    latest.set(socket, { req, res, before: latest.get(socket)?.res });
    res.on("close", letGo);
  };
  const turnAway = (
    req: IncomingMessage,
    res: ServerResponse,
    status: number,
  ): void => {
    if (ending.has(req.socket)) return;
    ending.add(req.socket);
    note(req, res);
    res.writeHead(status, refusalHeaders).end(REFUSAL);
  };
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    if (ending.has(req.socket)) return;
    if (isMalformed(req)) return turnAway(req, res, 400);
    note(req, res);
    // Node's parser loses what came with it, and would go on in the middle of something.
    if (req.headers.upgrade !== undefined) {
      ending.add(req.socket);
      res.shouldKeepAlive = false;
    }
    void listener(req, res);
  };
  const server = tls
    ? createTlsServer({ ...limits, ...tls }, serve)
    : createServer(limits, serve);
  server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) =>
    turnAway(req, res, 417),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const isFirst = !ending.has(socket);
    ending.add(socket);
    const first = awaitedBefore(latest.get(socket));
    if (!first || first.destroyed) refuse(error, socket);
    else if (isFirst) first.once("close", () => refuse(error, socket));
  });
  if (connections) limitConnections(server, connections);
  return server;
}

/** What a connection was asked last, and the answer to what it was asked before. */
interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  before: ServerResponse | undefined;
}

/**
 * The answer that has to leave before a refusal does, which would be taken for it: that to
 * the last whole request, since what is not whole is what is refused.
 */
function awaitedBefore(
  exchange: Exchange | undefined,
): ServerResponse | undefined {
  if (!exchange) return undefined;
  const { req, res, before } = exchange;
  return req.complete || res.headersSent ? res : before;
}

const REFUSAL = JSON.stringify({
  errcode: "M_UNRECOGNIZED",
  error: "The request is not valid HTTP, or too large or too slow.",
});

const refusalHeaders: Readonly<Record<string, string>> = {
  Connection: "close",
  "Content-Type": "application/json; charset=utf-8",
  "Content-Length": String(Buffer.byteLength(REFUSAL)),
  "Access-Control-Allow-Origin": "*",
  "X-Content-Type-Options": "nosniff",
};

/** Answers what the parser refused, in the form of any other error. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] = STATUS[error.code ?? ""] ?? [400, "Bad Request"];
  const headers = Object.entries(refusalHeaders);
  socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      "",
      REFUSAL,
    ].join("\r\n"),
  );
}

const STATUS: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "Content Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};
