import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const SECRET = "conformance";
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
    return (await fetch(`${baseUrl}/_matrix/client/versions`)).ok;
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
export async function startOurs(): Promise<Started> {
  const data = mkdtempSync(join(tmpdir(), "myelin-conformance-"));
  const port = await findFreePort();
  const child = spawn(
    process.execPath,
    ["bin/myelin.js", "serve", "--data", data, "--port", String(port)],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...process.env,
        MYELIN_REGISTRATION_MODE: "open",
        MYELIN_REGISTRATION_SHARED_SECRET: SECRET,
        MYELIN_RATE_LIMITS_ENABLED: "false",
      },
    },
  );
  const baseUrl = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode === null && child.kill("SIGTERM"))
      await once(child, "exit");
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(child, baseUrl);
  } catch (error) {
    await stop();
    throw error;
  }
  return { baseUrl, secret: SECRET, stop };
}
