import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntilAnswering } from "./restart.ts";

const SECRET = "conformance-shared-secret";

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string")
    throw new Error("no free port");
  return address.port;
}

function assertRunning(child: ChildProcess): void {
  if (child.exitCode !== null)
    throw new Error(`the server ended with ${child.exitCode}`);
}

export interface Started {
  baseUrl: string;
  secret: string;
  restart: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts this repository's server on a data directory of its own, which `stop` removes again. */
export async function startOurs(logFile: string): Promise<Started> {
  const data = mkdtempSync(join(tmpdir(), "myelin-conformance-"));
  const port = await findFreePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const log = openSync(logFile, "w");
  const serve = ["serve", "--data", data, "--port", String(port)];
  const spawnServer = () =>
    spawn(process.execPath, ["bin/myelin.js", ...serve], {
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        MYELIN_REGISTRATION_MODE: "open",
        MYELIN_REGISTRATION_SHARED_SECRET: SECRET,
        MYELIN_RATE_LIMITS_ENABLED: "false",
        MYELIN_URL_PREVIEWS_ENABLED: "true",
        MYELIN_LISTENERS_ADMIN_ON_CLIENT_LISTENER: "true",
        MYELIN_MEDIA_LEGACY_DOWNLOADS: "on",
        // The pages of the tests are served beside them.
        MYELIN_EGRESS_ALLOW: "127.0.0.1",
      },
    });
  let child = spawnServer();
  const abandon = () => child.kill("SIGTERM");
  process.on("exit", abandon);
  const end = async () => {
    if (child.exitCode === null && child.kill("SIGTERM"))
      await once(child, "exit");
  };
  const untilReady = () =>
    waitUntilAnswering(`${baseUrl}/health/ready`, () => assertRunning(child));
  const restart = async () => {
    await end();
    child = spawnServer();
    await untilReady();
  };
  const stop = async () => {
    process.off("exit", abandon);
    await end();
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await untilReady();
  } catch (cause) {
    await stop();
    throw new Error(`the server did not start; see ${logFile}`, { cause });
  }
  return { baseUrl, secret: SECRET, restart, stop };
}
