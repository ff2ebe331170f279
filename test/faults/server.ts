import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describeProcess, listChildren, signal } from "./processes.ts";

export interface ServerOptions {
  processes?: number;
  environment?: Record<string, string>;
  /** A command that the server's command is given to. */
  wrapper?: readonly string[];
  /** Shares the data folder of another server, and its keys. */
  folder?: string;
}

const SETTINGS = {
  MYELIN_REGISTRATION_MODE: "open",
  MYELIN_RATE_LIMITS_ENABLED: "false",
  MYELIN_LOG_LEVEL: "warn",
};

const LONGEST_READY_MS = 60_000;

/** What the operations guide promises, and some for a busy machine. */
const LONGEST_STOP_MS = 20_000;

/** The real program in a data folder of its own, killed and started at will. */
export class FaultServer {
  readonly folder: string;
  readonly #options: ServerOptions;
  readonly #ownsFolder: boolean;
  /** How often a start gave up by itself and had to be tried again. */
  givenUp = 0;
  #port = 0;
  #child: ChildProcess | undefined;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.#ownsFolder = options.folder === undefined;
    this.folder =
      options.folder ?? mkdtempSync(join(tmpdir(), "myelin-fault-"));
    // Whatever ends this process: nothing of ours runs on.
    process.once("exit", this.#abandon);
  }

  /** Stays the same through all starts. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    await this.launch();
    await this.ready();
  }

  /** Starts it, and does not wait until it serves. */
  async launch(): Promise<void> {
    this.#port ||= await findQuietPort();
    const { processes = 2, environment, wrapper = [] } = this.#options;
    const program = join(process.cwd(), "bin", "myelin.js");
    const serve = [program, "serve", "--port", String(this.#port)];
    const [command, ...rest] = [...wrapper, process.execPath, ...serve];
    const log = openSync(join(this.folder, "log"), "a");
    this.#child = spawn(command!, rest, {
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        ...SETTINGS,
        MYELIN_SERVER_PROCESSES: String(processes),
        ...environment,
      },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
  }

  /** How long it took, in ms, until it served again by itself. */
  async ready(mostMs = LONGEST_READY_MS): Promise<number> {
    const begun = performance.now();
    for (;;) {
      if (await this.isReady()) return performance.now() - begun;
      await this.#superviseOnce();
      if (performance.now() - begun > mostMs)
        throw new Error(`not ready within ${mostMs} ms:\n${this.logTail()}`);
      await pause(25);
    }
  }

  /** As systemd or Docker would: a start that was hit and gave up is tried again. */
  async #superviseOnce(): Promise<void> {
    if (typeof this.#child?.exitCode !== "number") return;
    this.givenUp += 1;
    await this.launch();
  }

  async isReady(): Promise<boolean> {
    return (await this.#askReady()) !== undefined;
  }

  /** The process that says so, by what its request ids begin with. */
  async #askReady(): Promise<string | undefined> {
    try {
      const answer = await fetch(`${this.url}/health/ready`, {
        headers: { connection: "close" },
        signal: AbortSignal.timeout(1000),
      });
      await answer.arrayBuffer();
      if (answer.status !== 200) return undefined;
      return answer.headers.get("x-request-id")?.split("-")[0];
    } catch {
      return undefined;
    }
  }

  /** Which processes do not serve: each is known by the ids that it gives to requests. */
  async listIdle(): Promise<string[]> {
    const { processes = 2 } = this.#options;
    const serving = new Set<string>();
    const end = performance.now() + LONGEST_READY_MS;
    while (serving.size < processes) {
      if (performance.now() > end)
        return [`only ${serving.size} of ${processes} processes serve`];
      const by = await this.#askReady();
      if (by === undefined) await pause(25);
      else serving.add(by);
    }
    return [];
  }

  logTail(): string {
    return readFileSync(join(this.folder, "log"), "utf8").slice(-3000);
  }

  get primaryPid(): number {
    return this.#child?.pid ?? 0;
  }

  workerPids(): number[] {
    return listChildren(this.primaryPid)
      .filter(({ command }) => command.includes("main.js"))
      .map(({ pid }) => pid);
  }

  /** The private PostgreSQL's first process. */
  postmasterPid(): number {
    const cluster = join(this.folder, "data", "postgres");
    const file = readFileSync(join(cluster, "postmaster.pid"), "utf8");
    const pid = Number(file.split("\n")[0]);
    // The number may be another program's by now.
    if (describeProcess(pid)?.command.includes(cluster)) return pid;
    throw new Error("PostgreSQL does not run.");
  }

  isPostgresRunning(): boolean {
    try {
      return this.postmasterPid() > 0;
    } catch {
      return false;
    }
  }

  /** PostgreSQL's sessions. */
  backendPids(): number[] {
    return listChildren(this.postmasterPid())
      .filter(({ command }) => /^postgres: \w+ myelin /.test(command))
      .map(({ pid }) => pid);
  }

  postgresPids(): number[] {
    const postmaster = this.postmasterPid();
    return [postmaster, ...listChildren(postmaster).map(({ pid }) => pid)];
  }

  /** The first process and those that serve, without PostgreSQL. */
  async killProcesses(): Promise<void> {
    const child = this.#child;
    const workers = this.workerPids();
    for (const pid of [this.primaryPid, ...workers]) signal(pid, "SIGKILL");
    if (child && child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
  }

  killPostgres(): void {
    for (const pid of this.postgresPids()) signal(pid, "SIGKILL");
  }

  killAll(): void {
    for (const pid of this.workerPids()) signal(pid, "SIGKILL");
    if (this.#child && this.#child.exitCode === null)
      signal(this.primaryPid, "SIGKILL");
    if (this.#ownsFolder && this.isPostgresRunning()) this.killPostgres();
  }

  databaseUrl(role: "myelin" | "postgres" = "myelin"): string {
    // A disk of its own is seen by the process alone.
    const hasOwnDisk = this.#options.wrapper !== undefined;
    const root = hasOwnDisk ? `/proc/${this.primaryPid}/root` : "/";
    const file = join(root, this.folder, "data", "postgres.json");
    const access = JSON.parse(readFileSync(file, "utf8")) as {
      port: number;
      password: string;
      adminPassword: string;
    };
    const secret = role === "myelin" ? access.password : access.adminPassword;
    return `postgres://${role}:${secret}@127.0.0.1:${access.port}/myelin`;
  }

  /** Restarts it as an administrator would, and does not wait until it serves. */
  async restart(): Promise<void> {
    await this.stop();
    await this.launch();
  }

  /** Starts it where it should not serve: what it says of that, and nothing where it serves. */
  async findRefusal(): Promise<string | undefined> {
    await this.launch();
    const end = performance.now() + LONGEST_READY_MS;
    while (typeof this.#child?.exitCode !== "number") {
      if (await this.isReady()) return undefined;
      if (performance.now() > end) break;
      await pause(25);
    }
    return this.logTail();
  }

  /** Runs a command of the program on this server's data; answers what it prints. */
  run(...command: readonly string[]): string {
    const program = join(process.cwd(), "bin", "myelin.js");
    return execFileSync(process.execPath, [program, ...command], {
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        ...SETTINGS,
        ...this.#options.environment,
      },
      encoding: "utf8",
    });
  }

  /** Ends it as an administrator would, and removes its data. */
  async remove(): Promise<void> {
    await this.stop();
    process.off("exit", this.#abandon);
    this.#abandon();
    this.#child = undefined;
  }

  /** Ends it as an administrator would. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    const impatient = setTimeout(() => this.killAll(), LONGEST_STOP_MS);
    child.kill("SIGTERM");
    await gone;
    clearTimeout(impatient);
  }

  readonly #abandon = (): void => {
    this.killAll();
    if (this.#ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  };
}

/** Below those that outgoing connections take, so that it is still free after a kill. */
async function findQuietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
