import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";

/** What `app.callback()` is. */
type Listener = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export interface ListenerOptions {
  /** With it the server speaks TLS; `setSecureContext` renews it while running. */
  tls?: SecureContextOptions;
  /** How long a client may take for its headers, in ms. */
  headersTimeoutMs?: number;
}

/** An HTTP server with the limits that Node leaves wide: slow headers, large headers. */
export function createListener(
  listener: Listener,
  { tls, headersTimeoutMs = 10_000 }: ListenerOptions = {},
): Server {
  const limits = {
    maxHeaderSize: 16 * 1024,
    headersTimeout: headersTimeoutMs,
    // Bodies have an idle limit of their own; a large upload may take longer.
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
    insecureHTTPParser: false,
    requireHostHeader: true,
  };
  const serve = (req: IncomingMessage, res: ServerResponse) =>
    void listener(req, res);
  const server = tls
    ? createTlsServer({ ...limits, ...tls }, serve)
    : createServer(limits, serve);
  server.on("clientError", refuse);
  return server;
}

/** Answers what the parser refused, in the form of any other error. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] = STATUS[error.code ?? ""] ?? [400, "Bad Request"];
  const body = JSON.stringify({
    errcode: "M_UNRECOGNIZED",
    error: "The request is not valid HTTP, or too large or too slow.",
  });
  socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      "Connection: close",
      "Content-Type: application/json; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Access-Control-Allow-Origin: *",
      "X-Content-Type-Options: nosniff",
      "",
      body,
    ].join("\r\n"),
  );
}

const STATUS: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout"],
};
