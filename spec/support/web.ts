import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** Somebody else's web server, on loopback. */
export interface Web {
  readonly port: number;
  /** `http://127.0.0.1:…`, without a slash at its end. */
  readonly url: string;
  /** What was asked, in its order: `GET /path`. */
  readonly asked: string[];
  /** The headers of what was asked. */
  readonly headers: IncomingMessage["headers"][];
  /** How many connections were made. */
  connections(): number;
}

export type Pages = Readonly<
  Record<string, (response: ServerResponse, request: IncomingMessage) => void>
>;

/** Serves pages by their path, and 404 for all others, while the specs of a `describe` run. */
export function useWeb(pages: Pages): Web {
  const asked: string[] = [];
  const headers: IncomingMessage["headers"][] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    const [path = ""] = (request.url ?? "").split("?");
    const page = pages[path];
    if (page) return page(response, request);
    response.writeHead(404).end("nothing here");
  });
  server.on("connection", () => (connections += 1));
  const portOf = () => (server.address() as AddressInfo).port;
  before("start a web server", async () => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  });
  after("stop the web server", async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return {
    asked,
    headers,
    get port() {
      return portOf();
    },
    get url() {
      return `http://127.0.0.1:${portOf()}`;
    },
    connections: () => connections,
  };
}

/** A page of HTML. */
export const html =
  (text: string | Buffer, contentType = "text/html; charset=utf-8") =>
  (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": contentType }).end(text);
  };

export const redirect =
  (location: string | (() => string), status = 302) =>
  (response: ServerResponse): void => {
    const to = typeof location === "string" ? location : location();
    response.writeHead(status, { location: to }).end();
  };
