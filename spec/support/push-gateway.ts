import { createServer, type IncomingMessage, type Server } from "node:http";
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

/** Started before the specs, stopped after them. */
export function useGateway(): TestGateway {
  const gateway = new Gateway();
  before("start a push gateway", () => gateway.start());
  after("stop the push gateway", () => gateway.stop());
  return gateway;
}

const PATH = "/_matrix/push/v1/notify";
const TAKEN: GatewayAnswer = {};

class Gateway implements TestGateway {
  readonly told: Told[] = [];
  readonly #server: Server;
  readonly #waiting: ((notification: Json) => void)[] = [];
  #asked = 0;
  #how: Parameters<TestGateway["answer"]>[0] = () => TAKEN;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", () => undefined);
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        void this.#hear(request, text).then(
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
  }

  async start(): Promise<void> {
    await new Promise<void>((done) =>
      this.#server.listen(0, "127.0.0.1", done),
    );
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return this.origin + PATH;
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

  async #hear(request: IncomingMessage, text: string): Promise<GatewayAnswer> {
    const body = JSON.parse(text) as { notification: Json };
    const { url: path = "", method = "", headers } = request;
    assertRequest(method, path, body);
    const told = { notification: body.notification, path, method, headers };
    this.told.push(told);
    this.#waiting.shift()?.(told.notification);
    return this.#how(told);
  }
}
