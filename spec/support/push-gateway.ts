import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { assertRequest } from "../http/response-schema.ts";
import type { Json } from "./server.ts";

export interface Told {
  notification: Json;
  path: string;
  method: string;
  headers: IncomingMessage["headers"];
}

export interface GatewayAnswer {
  status?: number;
  body?: string;
  headers?: Record<string, string>;
}

/** A push gateway on loopback; what it is told is held against the specification. */
export interface TestGateway {
  /** Of `/_matrix/push/v1/notify`. */
  readonly url: string;
  readonly origin: string;
  /** All that it was told so far. */
  readonly told: Told[];
  /** What it answers from now on; nothing is rejected unless said. */
  answer(how: (told: Told) => GatewayAnswer | Promise<GatewayAnswer>): void;
  /** The next notification that was not asked for yet, as it was told or will be. */
  next(): Promise<Json>;
}

/** Gateways that share an address, and are told apart by their queries. */
export function useGateways(): { open(): TestGateway } {
  const gateways: Gateway[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => undefined);
    request.on("end", () => {
      const number = /\?gateway=(\d+)$/.exec(request.url ?? "")?.[1];
      const gateway = gateways[Number(number)];
      if (!gateway) {
        response.writeHead(404).end();
        return;
      }
      const text = Buffer.concat(chunks).toString();
      void gateway.hear(request, text).then(
        ({ status = 200, body = '{"rejected":[]}', headers = {} }) => {
          response.writeHead(status, {
            "content-type": "application/json",
            ...headers,
          });
          response.end(body);
        },
        () => response.destroy(),
      );
    });
  });
  before("start push gateways", async () => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  });
  after("stop the push gateways", async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return {
    open() {
      const { port } = server.address() as AddressInfo;
      const gateway = new Gateway(
        `http://127.0.0.1:${port}`,
        `${PATH}?gateway=${gateways.length}`,
      );
      gateways.push(gateway);
      return gateway;
    },
  };
}

const PATH = "/_matrix/push/v1/notify";
const TAKEN: GatewayAnswer = {};

class Gateway implements TestGateway {
  readonly origin: string;
  readonly url: string;
  readonly told: Told[] = [];
  readonly #waiting: ((notification: Json) => void)[] = [];
  #asked = 0;
  #how: Parameters<TestGateway["answer"]>[0] = () => TAKEN;

  constructor(origin: string, path: string) {
    this.origin = origin;
    this.url = origin + path;
  }

  answer(how: Parameters<TestGateway["answer"]>[0]): void {
    this.#how = how;
  }

  next(): Promise<Json> {
    const at = this.#asked++;
    const known = this.told[at];
    if (known) return Promise.resolve(known.notification);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async hear(request: IncomingMessage, text: string): Promise<GatewayAnswer> {
    const body = JSON.parse(text) as { notification: Json };
    const { url: path = "", method = "", headers } = request;
    assertRequest(method, path, body);
    const told = { notification: body.notification, path, method, headers };
    this.told.push(told);
    this.#waiting.shift()?.(told.notification);
    return this.#how(told);
  }
}
