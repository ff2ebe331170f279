import { Agent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { composeApps } from "../../src/compose-app.ts";
import { composeEdges } from "../../src/compose-edges.ts";
import type { ComposedEdges, EdgesOptions } from "../../src/compose-edges.ts";
import { publicBaseUrlOf } from "../../src/compose-settings.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { OpenedSession } from "../../src/domain/accounts/open-session.ts";
import { registerAccount } from "../../src/domain/accounts/register.ts";
import type { Edges, Log } from "../../src/edges.ts";
import type { Sql } from "../../src/storage/database.ts";
import { createListener, type Listener } from "../../src/http/listener.ts";
import { assertDescribed } from "../http/admin-document.ts";
import { assertResponse } from "../http/response-schema.ts";
import { join } from "node:path";
import { inspect } from "node:util";
import { quiet, useDatabase } from "./database.ts";
import type { TestDatabase } from "./database.ts";
import { useFolders } from "./use-folder.ts";

export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The JSON object of the answer; empty where it is none. */
  body: Json;
  text: string;
  bytes: Buffer;
}

export interface AskOptions {
  headers?: Record<string, string>;
  /** Ends the request from the client's side. */
  signal?: AbortSignal;
}

/**
 * Asks one process of the server; every answer is held against the
 * specification. Paths that begin with neither `/_` nor `/.` are of
 * `/_matrix/client/v3`.
 */
export interface TestClient {
  ask(
    method: string,
    path: string,
    body?: unknown,
    options?: AskOptions,
  ): Promise<Answer>;
  get(path: string, options?: AskOptions): Promise<Answer>;
  put(path: string, body: unknown, options?: AskOptions): Promise<Answer>;
  post(path: string, body?: unknown, options?: AskOptions): Promise<Answer>;
  delete(path: string, body?: unknown, options?: AskOptions): Promise<Answer>;
}

export interface TestUser extends TestClient {
  userId: string;
  deviceId: string;
  accessToken: string;
  password: string;
}

export interface TestProcess extends TestClient {
  /** Of this process. */
  readonly edges: Edges;
  readonly port: number;
  /** Makes an account with a session, through the domain. */
  user(localpart: string, options?: { isAdmin?: boolean }): Promise<TestUser>;
  /** The same session asking this process, or another device's. */
  as(session: { accessToken: string }): TestClient;
}

export interface TestServer extends TestProcess {
  readonly database: TestDatabase;
  /** Where uploaded files stand. */
  readonly mediaFolder: string;
  /** A second process on the same database, stopped after the specs. */
  startProcess(changes?: TestSettings): Promise<TestProcess>;
}

/** Settings by their path in the configuration: `{ "registration.mode": "open" }`. */
export type TestSettings = Readonly<Record<string, unknown>>;

/** What a server is told of the world around it. */
export interface Outside extends Pick<EdgesOptions, "resolve"> {
  /** Opens the database as another role than the one that owns it. */
  open?(database: TestDatabase): Promise<Sql>;
}

/**
 * A server named `test` with rate limits off and open registration, unless told
 * otherwise. What it logs as an error is printed, unless another log is given.
 */
export function useServer(
  settings: TestSettings = {},
  log: Log = printsErrors,
  outside: Outside = {},
): TestServer {
  const database = useDatabase();
  const makeFolder = useFolders();
  const running: RunningProcess[] = [];
  let keysDir = "";
  const start = async (changes: TestSettings = {}): Promise<RunningProcess> => {
    const all = { ...settings, ...changes };
    const begun = await startProcess(database, keysDir, all, log, outside);
    running.push(begun);
    return begun;
  };
  const first = (): TestProcess => {
    const begun = running[0];
    if (!begun) throw new TypeError("The server is there inside of hooks.");
    return begun.process;
  };

  before("start a server", async () => {
    keysDir = await makeFolder();
    await start();
  });
  after("stop the server", async () => {
    await Promise.all(running.map(({ stop }) => stop()));
  });

  return {
    database,
    get mediaFolder() {
      return join(keysDir, "media");
    },
    startProcess: async (changes) => (await start(changes)).process,
    get edges() {
      return first().edges;
    },
    get port() {
      return first().port;
    },
    user: (localpart, options) => first().user(localpart, options),
    as: (session) => first().as(session),
    ...clientMethods((...asked) => first().ask(...asked)),
  };
}

/** What the server holds for its own fault must not pass unseen. */
const printsErrors: Log = {
  ...quiet,
  error: (details, message) => {
    process.stderr.write(`${message} ${inspect(details, { depth: 5 })}\n`);
  },
};

interface RunningProcess {
  process: TestProcess;
  stop(): Promise<void>;
}

async function startProcess(
  database: TestDatabase,
  keysDir: string,
  settings: TestSettings,
  log: Log,
  { open, ...outside }: Outside,
): Promise<RunningProcess> {
  const config = loadConfig({
    overrides: new Map(
      Object.entries({
        server_name: "test",
        "registration.mode": "open",
        "rate_limits.enabled": false,
        "listeners.admin.on_client_listener": true,
        ...settings,
      }),
    ),
  });
  const sql = open ? await open(database) : database.open({ poolSize: 6, log });
  const secretSource = { keysDir, given: new Map() };
  let respond: Listener = async (_request, response) => {
    response.destroy();
  };
  const server = createListener((request, response) =>
    respond(request, response),
  );
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const composed = await composeEdges({
    config,
    sql,
    secretSource,
    publicBaseUrl: publicBaseUrlOf(config, `http://127.0.0.1:${port}`),
    mediaFolder: join(keysDir, "media"),
    dataFolder: keysDir,
    log,
    now: () => Date.now(),
    ...outside,
  });
  respond = composeApps(config, composed, []).client;
  const agent = new Agent({ keepAlive: true });
  return {
    process: processOf(composed, agent, port),
    async stop() {
      agent.destroy();
      await stopServer(server, composed);
    },
  };
}

async function stopServer(server: Server, composed: ComposedEdges) {
  await composed.edges.notifier.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await composed.close();
}

function processOf(
  { edges }: ComposedEdges,
  agent: Agent,
  port: number,
): TestProcess {
  const clientOf = (token?: string): TestClient =>
    clientMethods((method, path, body, options) =>
      ask({ agent, port, token, method, path, body, ...options }),
    );
  const user: TestProcess["user"] = async (localpart, options = {}) => {
    const password = `secret of ${localpart}`;
    const { isAdmin = false } = options;
    const account = {
      ...{ localpart, password },
      ...(isAdmin && { systemAdminBy: "a spec" }),
    };
    const wish = { canRefresh: false };
    const opened = await registerAccount(edges, account, wish);
    const { userId, deviceId, accessToken } = opened as OpenedSession;
    const session = { userId, deviceId, accessToken, password };
    return { ...session, ...clientOf(accessToken) };
  };
  return {
    edges,
    port,
    user,
    as: ({ accessToken }) => clientOf(accessToken),
    ...clientOf(),
  };
}

function clientMethods(send: TestClient["ask"]): TestClient {
  return {
    ask: send,
    get: (path, options) => send("GET", path, undefined, options),
    put: (path, body, options) => send("PUT", path, body, options),
    post: (path, body = {}, options) => send("POST", path, body, options),
    delete: (path, body, options) => send("DELETE", path, body, options),
  };
}

interface Asked extends AskOptions {
  agent: Agent;
  port: number;
  token: string | undefined;
  method: string;
  path: string;
  body: unknown;
}

function ask(asked: Asked): Promise<Answer> {
  const { agent, port, method, token, headers = {}, signal } = asked;
  const path = /^\/[_.]/.test(asked.path)
    ? asked.path
    : `/_matrix/client/v3${asked.path}`;
  const bytes = bytesOf(asked.body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        agent,
        port,
        method,
        path,
        host: "127.0.0.1",
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          // Node sends the body of a DELETE only if its length is told.
          ...(bytes !== undefined && {
            "content-length": Buffer.byteLength(bytes),
          }),
          ...headers,
        },
        ...(signal && { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          const whole = Buffer.concat(chunks);
          const text = whole.toString();
          try {
            const body = parse(text, response.headers);
            assertResponse(method, path, status, body);
            const type = response.headers["content-type"];
            const sent = asked.body;
            assertDescribed({ method, path, sent, status, type, body });
            const isObject = typeof body === "object" && body !== null;
            resolve({
              status,
              text,
              bytes: whole,
              headers: response.headers,
              body: isObject ? (body as Json) : {},
            });
          } catch (error) {
            reject(error as Error);
          }
        });
      },
    );
    request.on("error", reject);
    request.end(bytes);
  });
}

function bytesOf(body: unknown): string | Buffer | undefined {
  if (body === undefined || typeof body === "string" || Buffer.isBuffer(body))
    return body;
  return JSON.stringify(body);
}

function parse(text: string, headers: IncomingHttpHeaders): unknown {
  const isJson = /\/json/.test(headers["content-type"] ?? "");
  return isJson && text !== "" ? JSON.parse(text) : undefined;
}
