import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";

const START_MS = 60_000;

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

/** Waits until a server that starts answers at this address with 200. */
export async function waitUntilAnswering(
  url: string,
  assertAlive: () => void = () => undefined,
): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await answers(url))) {
    assertAlive();
    if (Date.now() > deadline) throw new Error("the server is not ready");
    await wait(100);
  }
}

/** Starts somebody else's server anew by a command of the shell, which returns once the old one has ended. */
export async function restartBy(
  command: string,
  baseUrl: string,
): Promise<void> {
  const child = spawn(command, { shell: true, stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`"${command}" ended with ${code}`);
  await waitUntilAnswering(`${baseUrl}/_matrix/client/versions`);
}
