import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const SECRET = "conformance-shared-secret";
const START_MS = 60_000;

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

async function isReady(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/health/ready`)).ok;
  } catch {
    return false;
  }
}

async function waitUntilReady(child: ChildProcess, baseUrl: string) {
  const deadline = Date.now() + START_MS;
  while (!(await isReady(baseUrl))) {
    if (child.exitCode !== null)
      throw new Error(`the server ended with ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error("the server is not ready");
    await wait(100);
  }
}

export interface Started {
  baseUrl: string;
  secret: string;
  stop: () => Promise<void>;
}

/** Starts this repository's server on a data directory of its own, which `stop` removes again. */
export async function startOurs(logFile: string): Promise<Started> {
  const data = mkdtempSync(join(tmpdir(), "myelin-conformance-"));
  const port = await findFreePort();
  const log = openSync(logFile, "w");
  const child = spawn(
    process.execPath,
    ["bin/myelin.js", "serve", "--data", data, "--port", String(port)],
    {
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        MYELIN_REGISTRATION_MODE: "open",
        MYELIN_REGISTRATION_SHARED_SECRET: SECRET,
        MYELIN_RATE_LIMITS_ENABLED: "false",
        MYELIN_URL_PREVIEWS_ENABLED: "true",
        // The pages of the tests are served beside them.
        MYELIN_EGRESS_ALLOW: "127.0.0.1",
      },
    },
  );
  const baseUrl = `http://127.0.0.1:${port}`;
  const abandon = () => child.kill("SIGTERM");
  process.on("exit", abandon);
  const stop = async () => {
    process.off("exit", abandon);
    if (child.exitCode === null && child.kill("SIGTERM"))
      await once(child, "exit");
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(child, baseUrl);
  } catch (cause) {
    await stop();
    throw new Error(`the server did not start; see ${logFile}`, { cause });
  }
  return { baseUrl, secret: SECRET, stop };
}
