import { once } from "node:events";
import Koa from "koa";
import type { Logger } from "pino";
import { StartError } from "./cli/start-error.ts";
import type { Config } from "./config/schema.ts";
import { createAddressOf } from "./http/address.ts";
import { compileEndpoints } from "./http/compile.ts";
import type { Middleware, RequestState } from "./http/context.ts";
import { endpoints } from "./http/endpoints.ts";
import { createHealthRoutes } from "./http/health.ts";
import { createLandingPage } from "./http/landing.ts";
import { createListener } from "./http/listener.ts";
import { accessLog } from "./http/middleware/1-access-log.ts";
import { responseHeaders } from "./http/middleware/2-response-headers.ts";
import { errors } from "./http/middleware/3-errors.ts";
import { route } from "./http/middleware/4-route.ts";
import { readTls, watchTls } from "./cli/tls.ts";
import { prepareDrain } from "./cli/drain.ts";
import { urlOf } from "./cli/url.ts";
import {
  assertSafeDatabase,
  openDatabase,
  type Sql,
} from "./storage/database.ts";
import { migrate } from "./storage/migrate.ts";
import { settleServerSetting } from "./storage/server-settings.ts";
import type { Secret } from "./util/secret.ts";

/** What a server gets from the process that it runs in. */
export interface Runtime {
  dataDir: string;
  log: Logger;
  /** 0 for the first of the processes that serve. */
  processIndex: number;
  databaseUrl: string;
  /** Keys that the environment gives (MYELIN_KEYS_<NAME>), by lower-case name. */
  secrets: ReadonlyMap<string, Secret>;
}

export interface RunningServer {
  /** Where it listens. */
  url: string;
  /** Finishes what has begun, within 10 s. */
  stop(): Promise<void>;
}

/** This machine's own networks, for a proxy that runs beside us. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"];

/** Opens the database, brings it up to date, and listens. */
export async function startServer(
  config: Config,
  runtime: Runtime,
): Promise<RunningServer> {
  const { databaseUrl, log } = runtime;
  const { poolSize } = config.database;
  const sql = openDatabase(databaseUrl, { poolSize, log });
  try {
    await assertSafeDatabase(sql);
    await migrate(sql, () => Date.now());
    await assertServerName(sql, config.serverName);
    return await listen(config, runtime, sql);
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

async function assertServerName(sql: Sql, serverName: string): Promise<void> {
  const settled = await settleServerSetting(sql, "server_name", serverName);
  if (settled === serverName) return;
  throw new StartError(
    `server_name is ${serverName}, but this database belongs to the server ${settled}. The name cannot be changed: it is part of every user id, room alias and signature, and other people's clients and servers know them by it. Set server_name to ${settled}, or begin anew with another data folder or database.`,
  );
}

async function listen(
  config: Config,
  { log }: Runtime,
  sql: Sql,
): Promise<RunningServer> {
  const tls = await readTls(config.tls);
  let respond: ReturnType<Koa["callback"]> = async (_request, response) => {
    response.destroy();
  };
  const server = createListener(
    (request, response) => respond(request, response),
    {
      ...(tls && { tls }),
      headersTimeoutMs: config.limits.headerSeconds * 1000,
    },
  );
  const drain = prepareDrain(server);
  server.listen(config.listen.port, config.listen.host);
  await once(server, "listening");
  const url = urlOf(server, config.listen.host, tls ? "https" : "http");
  const app = new Koa<RequestState>();
  for (const middleware of createPages(config, url, sql, log))
    app.use(middleware);
  respond = app.callback();
  const unwatch = watchTls(config.tls, server, log);
  return {
    url,
    async stop() {
      unwatch();
      await drain();
      await sql.end({ timeout: 1 });
    },
  };
}

function createPages(
  config: Config,
  url: string,
  sql: Sql,
  log: Logger,
): Middleware[] {
  const trusted = config.behindProxy ? (config.trustedProxies ?? LOOPBACK) : [];
  return [
    accessLog(log, createAddressOf(trusted)),
    responseHeaders,
    errors(log),
    createHealthRoutes(async () => {
      await sql`select 1`;
      return true;
    }),
    createLandingPage({
      serverName: config.serverName,
      baseUrl: publicBaseUrlOf(config, url),
      registration: config.registration.mode,
    }),
    route(compileEndpoints(endpoints)),
  ];
}

/** The address that clients use; a name that is not of this machine has its own. */
function publicBaseUrlOf(config: Config, url: string): string {
  const { publicBaseUrl, serverName } = config;
  if (publicBaseUrl !== undefined) return publicBaseUrl.replace(/\/$/, "");
  return serverName === "localhost" ? url : `https://${serverName}`;
}
