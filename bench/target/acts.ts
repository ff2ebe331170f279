import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface ActServerReady {
  readonly url: string;
  /** Of an administrator. */
  readonly token: string;
  /** Upon whom there is acted. */
  readonly userId: string;
}

/** A process of our server, with its records or without any. */
export interface ActServer extends ActServerReady {
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startActServer(
  { databaseUrl, dataFolder }: { databaseUrl: string; dataFolder: string },
  environment: Readonly<Record<string, string>>,
  records: "on" | "off",
): Promise<ActServer> {
  const program = join(import.meta.dirname, "act-server.js");
  const child = spawn(
    process.execPath,
    [program, databaseUrl, dataFolder, records],
    {
      env: { PATH: process.env["PATH"], ...environment },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const killer = () => child.kill("SIGTERM");
  process.once("exit", killer);
  const ended = once(child, "close");
  const end = ended.then(() => {
    throw new Error("the process ended before it served");
  });
  end.catch(() => undefined);
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    end,
  ])) as [string];
  return {
    ...(JSON.parse(line) as ActServerReady),
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      process.off("exit", killer);
    },
  };
}
