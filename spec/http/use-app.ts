import type { IncomingHttpHeaders, Server } from "node:http";
import { Agent, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { MatrixError } from "../../src/core/errors.ts";
import type { UserId } from "../../src/core/ids.ts";
import type { Edges } from "../../src/edges.ts";
import type { AppOptions } from "../../src/http/app.ts";
import { createApp } from "../../src/http/app.ts";
import { createListener } from "../../src/http/listener.ts";
import { assertResponse } from "./response-schema.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: Record<string, unknown>;
}

export interface Asked {
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

export interface TestApp {
  /** Sends the path as it is; a URL parser would tidy it. */
  ask(method: string, path: string, asked?: Asked): Promise<Answer>;
  /** Writes bytes and resolves with all that came back until the server closed. */
  raw(bytes: string): Promise<string>;
  /** All that was logged, one JSON text per line. */
  logged(): string;
  port(): number;
}

/** Tokens of `authenticate` in these specs. */
export const tokens: Record<string, { userId: string; isGuest?: boolean }> = {
  "token-of-alice": { userId: "@alice:test" },
  "token-of-admin": { userId: "@admin:test" },
  "token-of-guest": { userId: "@guest:test", isGuest: true },
};

/** An app with the given endpoints on a loopback port for each `describe`. */
export function useApp(
  options: Partial<AppOptions> &
    Pick<AppOptions, "endpoints"> & {
      headersTimeoutMs?: number;
      checksAnswers?: boolean;
    },
): TestApp {
  let server: Server;
  let lines: string[] = [];
  const agent = new Agent({ keepAlive: true });
  const write = (level: string) => (details: object, message: string) => {
    lines.push(JSON.stringify({ level, message, ...details }));
  };
  const log = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
  const committer = { commit: async () => ({ status: "committed" }) };
  const settings = { requiresCase: false, approvals: { required: [] } };
  const port = () => (server.address() as AddressInfo).port;

  before((done) => {
    const app = createApp({
      edges: { log, committer, settings, now: () => 1 } as unknown as Edges,
      authenticate: async (token) => {
        const known = tokens[token];
        if (!known)
          throw new MatrixError("M_UNKNOWN_TOKEN", "Unknown access token.", {
            soft_logout: true,
          });
        const { userId, isGuest = false } = known;
        return {
          userId: userId as UserId,
          deviceId: "DEVICE",
          tokenId: 1,
          isGuest,
          isSuspended: false,
          isLocked: false,
        };
      },
      can: async ({ userId }) =>
        userId === "@admin:test"
          ? { isAllowed: true, roles: [] }
          : { isAllowed: false, by: "role", roles: [] },
      rateLimiter: { take: async () => undefined },
      ...options,
    });
    server = createListener(app, {
      ...(options.headersTimeoutMs && {
        headersTimeoutMs: options.headersTimeoutMs,
      }),
    });
    server.listen(0, "127.0.0.1", done);
  });
  beforeEach(() => (lines = []));
  after((done) => {
    agent.destroy();
    server.closeAllConnections();
    server.close(() => done());
  });

  const ask: TestApp["ask"] = (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const req = httpRequest(
        { agent, host: "127.0.0.1", port: port(), method, path, headers },
        (res) => {
          const chunks: Buffer[] = [];
          res.on("data", (chunk: Buffer) => chunks.push(chunk));
          res.on("error", reject);
          res.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            const status = res.statusCode ?? 0;
            const isJson =
              text !== "" && /json/.test(res.headers["content-type"] ?? "");
            const json = isJson
              ? (JSON.parse(text) as Record<string, unknown>)
              : {};
            try {
              if (isJson && options.checksAnswers !== false)
                assertResponse(method, path, status, json);
              resolve({ status, headers: res.headers, text, json });
            } catch (error) {
              reject(error as Error);
            }
          });
        },
      );
      req.on("error", reject);
      req.end(body);
    });

  const raw: TestApp["raw"] = (bytes) =>
    new Promise((resolve, reject) => {
      let text = "";
      const socket = connect(port(), "127.0.0.1", () =>
        socket.write(bytes, "latin1"),
      );
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });

  return { ask, raw, port, logged: () => lines.join("\n") };
}
