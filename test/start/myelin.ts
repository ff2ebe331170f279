import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Options {
  environment?: Record<string, string>;
  arguments?: readonly string[];
  /** Another account to run as. */
  uid?: number;
}

/** One run of `myelin serve` as a person would start it. */
export class Myelin {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;

  constructor(folder: string, options: Options = {}) {
    const program = join(process.cwd(), "bin", "myelin.js");
    const rest = options.arguments ?? ["serve", "--port", "0"];
    this.child = spawn(process.execPath, [program, ...rest], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        resolve(code ?? signal ?? "");
      });
    });
  }

  /** The address that the banner tells. */
  async ready(): Promise<string> {
    const end = this.ended.then((code) => {
      throw new Error(`ended with ${String(code)}: ${this.stderr}`);
    });
    while (!/ready at (\S+)/.test(this.stdout))
      await Promise.race([once(this.child.stdout!, "data"), end]);
    end.catch(() => undefined);
    return /ready at (\S+)/.exec(this.stdout)?.[1] ?? "";
  }

  async stop(): Promise<number | string> {
    this.child.kill("SIGTERM");
    return this.ended;
  }

  /** Log lines so far; each is one JSON object. */
  get log(): Record<string, unknown>[] {
    return this.stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Waits for a log line. */
  async logged(message: string): Promise<void> {
    while (!this.log.some(({ msg }) => msg === message))
      await once(this.child.stderr!, "data");
  }
}

/** A folder for one suite, removed with what still runs in it. */
export function useFolder(mode = 0o755) {
  const runs: Myelin[] = [];
  const folder = mkdtempSync(join(tmpdir(), "myelin-start-"));
  chmodSync(folder, mode);
  after(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    start(options?: Options): Myelin {
      const run = new Myelin(folder, options);
      runs.push(run);
      return run;
    },
    /** The private PostgreSQL's process. */
    postgresPid(): number {
      const file = join(folder, "data", "postgres", "postmaster.pid");
      return Number(readFileSync(file, "utf8").split("\n")[0]);
    },
    access(): { port: number; password: string; adminPassword: string } {
      const file = join(folder, "data", "postgres.json");
      return JSON.parse(readFileSync(file, "utf8"));
    },
  };
}

/** Asks until the answer has this status. */
export async function waitForStatus(url: string, status: number) {
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.status === status) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
