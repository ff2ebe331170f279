import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync } from "node:fs";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readDatabaseSize } from "../measure/database-size.ts";
import { collect } from "../measure/collect.ts";
import { isDatabase, readTree } from "../measure/proc.ts";
import type { Options } from "../options.ts";
import { startActServer } from "./acts.ts";
import { importerOf } from "./import-accounts.ts";
import { findFreePort, metricsAt, readLoopDelay } from "./loop-delay.ts";
import { S3_ACCESS_KEY, S3_BUCKET, S3_SECRET_KEY } from "./s3-server.ts";
import { startS3Server, type S3Process } from "./s3-server.ts";
import { startServer, type ServerProcess } from "./server-process.ts";
import { processesOf, type Target } from "./target.ts";

/**
 * This repository's program, each process on a port of its own, the first with
 * a private PostgreSQL that the others share. All of it is gone after `stop`.
 */
export async function startOurs(options: Options): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "myelin-bench-"));
  // PostgreSQL may run as another user, who has to pass.
  chmodSync(folder, 0o755);
  const secret = randomBytes(16).toString("hex");
  const environment = environmentOf(options, secret);
  const servers: ServerProcess[] = [];
  let objects: S3Process | undefined;
  let postmaster = 0;
  const stop = async () => {
    for (const server of servers.toReversed()) await server.stop();
    await objects?.stop();
    endOrphan(postmaster);
    rmSync(folder, { recursive: true, force: true });
  };
  const start = async (more: Record<string, string> = {}) => {
    const all = { ...environment, ...more };
    const server = await startServer(folder, all, options.profile);
    servers.push(server);
    return server;
  };
  try {
    if (options.mediaStore === "s3") {
      const bucket = join(folder, "s3");
      mkdirSync(bucket);
      objects = await startS3Server(bucket);
      Object.assign(environment, environmentOfS3(objects));
    }
    const metricsPort = options.hasMetrics ? await findFreePort() : undefined;
    await start(metricsPort === undefined ? {} : metricsAt(metricsPort));
    postmaster = readPostmasterPid(folder);
    const databaseUrl = readDatabaseUrl(folder);
    const startMore = () => start({ MYELIN_DATABASE_URL: databaseUrl });
    for (let i = 1; i < options.processes; i++) await startMore();
    const { mediaStore } = options;
    return {
      urls: servers.map(({ url }) => url),
      registration: { secret },
      importAccounts: importerOf({ folder, databaseUrl, environment }),
      startActs: (records) =>
        startActServer(
          { databaseUrl, dataFolder: join(folder, "data") },
          environment,
          records,
        ),
      async startAnother() {
        const another = await startMore();
        return {
          ...another,
          async stop() {
            servers.splice(servers.indexOf(another), 1);
            await another.stop();
          },
        };
      },
      settings: {
        server: "Myelin",
        processes: options.processes,
        sealing: options.sealing,
        rateLimits: options.rateLimits,
        ...(mediaStore !== "folder" && { mediaStore }),
      },
      databaseUrl,
      ...processesOf(() => [...servers.map(({ pid }) => pid), postmaster]),
      longestLoopDelayMs: async () =>
        metricsPort === undefined ? undefined : readLoopDelay(metricsPort),
      storedBytes: () => readDatabaseSize(databaseUrl),
      collect: () => collect(servers.map(({ pid }) => pid)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const LIMITED = [
  ...["LOGIN", "REGISTER", "MESSAGE", "CREATE_ROOM", "JOIN", "INVITE"],
  ...["PROFILE", "KEYS", "TO_DEVICE", "EPHEMERAL", "SEARCH", "REPORT"],
  ...["ADMIN", "OTHER"],
];
const HIGHEST_LIMIT = "1000000";

/** With limits on, everything is counted and nothing is refused. */
const highLimits = (): Record<string, string> =>
  Object.fromEntries(
    LIMITED.flatMap((name) =>
      ["PER_SECOND", "BURST"].map((part) => [
        `MYELIN_RATE_LIMITS_${name}_${part}`,
        HIGHEST_LIMIT,
      ]),
    ),
  );

const environmentOfS3 = ({ endpoint }: S3Process): Record<string, string> => ({
  MYELIN_MEDIA_STORE: "s3",
  MYELIN_MEDIA_S3_ENDPOINT: endpoint,
  MYELIN_MEDIA_S3_BUCKET: S3_BUCKET,
  MYELIN_MEDIA_S3_ACCESS_KEY_ID: S3_ACCESS_KEY,
  MYELIN_MEDIA_S3_SECRET_ACCESS_KEY: S3_SECRET_KEY,
});

/** Room for every file that is measured. */
const MOST_FILE_BYTES = 2 ** 40;

const environmentOf = (
  { sealing, rateLimits }: Options,
  secret: string,
): Record<string, string> => ({
  MYELIN_SERVER_PROCESSES: "1",
  MYELIN_REGISTRATION_SHARED_SECRET: secret,
  MYELIN_LOG_LEVEL: "warn",
  MYELIN_SEALING: sealing,
  MYELIN_MEDIA_MAX_UPLOAD_BYTES: String(MOST_FILE_BYTES),
  MYELIN_MEDIA_USER_QUOTA_BYTES: "0",
  ...(rateLimits === "on" && highLimits()),
  ...(rateLimits === "off" && { MYELIN_RATE_LIMITS_ENABLED: "false" }),
});

function readDatabaseUrl(folder: string): string {
  const file = join(folder, "data", "postgres.json");
  const { port, password } = JSON.parse(readFileSync(file, "utf8")) as {
    port: number;
    password: string;
  };
  return `postgres://myelin:${password}@127.0.0.1:${port}/myelin`;
}

/** PostgreSQL outlives a server that was killed. */
function endOrphan(postmaster: number): void {
  const isAlive = readTree([postmaster]).some(isDatabase);
  if (isAlive) process.kill(postmaster, "SIGQUIT");
}

function readPostmasterPid(folder: string): number {
  const file = join(folder, "data", "postgres", "postmaster.pid");
  return Number(readFileSync(file, "utf8").split("\n")[0]);
}
