import { Agent, request as httpRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** The server promises an answer within 5 s; whoever waits this long asks again. */
const PATIENCE_MS = 8000;
/** Nothing of what we do to a server may keep a client waiting longer. */
const LONGEST_MS = 90_000;

/** Shares no connection with others, so that all processes are spoken to. */
export class Client {
  readonly #server: { readonly url: string };
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  #isAbandoned = false;
  token: string | undefined;
  userId = "";
  deviceId = "";
  /** Answers 5xx and broken connections that were tried again. */
  retries = 0;

  constructor(server: { readonly url: string }) {
    this.#server = server;
  }

  /** One try; rejects where the connection breaks or nothing comes. */
  ask(
    method: string,
    path: string,
    body?: object,
    patienceMs = PATIENCE_MS,
  ): Promise<Answer> {
    const { hostname, port } = new URL(this.#server.url);
    const { token } = this;
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          agent: this.#agent,
          method,
          host: hostname,
          port,
          path: `/_matrix/client/v3${path}`,
          headers: {
            "content-type": "application/json",
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("close", () => {
            if (!response.complete) return reject(new Error("cut short"));
            clearTimeout(timer);
            const text = Buffer.concat(chunks).toString();
            const status = response.statusCode ?? 0;
            try {
              resolve({ status, body: JSON.parse(text) as Answer["body"] });
            } catch (error) {
              reject(error as Error);
            }
          });
        },
      );
      const timer = setTimeout(
        () => request.destroy(new Error("no answer")),
        patienceMs,
      );
      request.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Asks the very same again until it is answered; throws for 4xx and after a long time. */
  async must(
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer["body"]> {
    const end = performance.now() + LONGEST_MS;
    while (!this.#isAbandoned) {
      const answer = await this.ask(method, path, body).catch(() => undefined);
      if (answer?.status === 200) return answer.body;
      if (answer && answer.status < 500)
        throw new Error(
          `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`,
        );
      if (performance.now() > end)
        throw new Error(`${method} ${path}: not within ${LONGEST_MS} ms`);
      this.retries += 1;
      await pause(20 + 60 * Math.random());
    }
    throw new Error("given up");
  }

  async register(name: string): Promise<this> {
    const body = await this.must("POST", "/register", {
      username: name,
      password: "a password for the faults",
      auth: { type: "m.login.dummy" },
    });
    this.token = String(body["access_token"]);
    this.userId = String(body["user_id"]);
    this.deviceId = String(body["device_id"]);
    return this;
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.close();
  }

  close(): void {
    this.#agent.destroy();
  }
}
