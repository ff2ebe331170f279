import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { COLLECTING } from "../measure/collect.ts";

/** One run of `myelin serve`. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

const START_MS = 120_000;
const STOP_MS = 60_000;
const LOG_CHARACTERS = 4_000;

/** Starts it in a folder; with `profile`, it leaves a CPU profile there when it ends. */
export async function startServer(
  folder: string,
  environment: Record<string, string>,
  profile: string | undefined,
): Promise<ServerProcess> {
  const program = join(process.cwd(), "bin", "myelin.js");
  const profiling =
    profile === undefined
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${resolve(profile)}`];
  const child = spawn(
    process.execPath,
    [...COLLECTING, ...profiling, program, "serve", "--port", "0"],
    {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const killer = () => child.kill("SIGTERM");
  process.once("exit", killer);
  const log = collect(child);
  const ended = once(child, "close");
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    url: await readUrl(child, log),
    async stop() {
      child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(patience);
      process.off("exit", killer);
      if (log.stderr !== "")
        process.stderr.write(`the server's log:\n${log.stderr}`);
    },
  };
}

interface Log {
  stdout: string;
  stderr: string;
}

/** Keeps the end of what it writes. */
function collect(child: ChildProcess): Log {
  const log: Log = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      log[name] = (log[name] + text).slice(-LOG_CHARACTERS);
    });
  }
  return log;
}

/** The address that the banner tells. */
async function readUrl(child: ChildProcess, log: Log): Promise<string> {
  const signal = AbortSignal.timeout(START_MS);
  const end = once(child, "close", { signal }).then(() => {
    throw new Error(`the server ended before it served:\n${log.stderr}`);
  });
  end.catch(() => undefined);
  for (;;) {
    const url = /ready at (\S+)/.exec(log.stdout)?.[1];
    if (url !== undefined) return url;
    await Promise.race([once(child.stdout!, "data"), end]);
  }
}
