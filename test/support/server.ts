import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Myelin } from "../start/myelin.ts";

const SETTINGS = {
  MYELIN_REGISTRATION_MODE: "open",
  MYELIN_RATE_LIMITS_ENABLED: "false",
};

/** The address of another homeserver, to prove the tests on; it serves as all servers at once. */
const target = process.env["TEST_TARGET"];

/** Serving processes behind one address. */
export interface Server {
  readonly url: string;
  /** Lets it end what it has begun. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

export interface ServerOptions {
  /** How many processes share the address. */
  processes?: number;
  environment?: Record<string, string>;
}

/** One database, and servers on it as if each were on a machine of its own. */
export class Deployment {
  readonly folder = mkdtempSync(join(tmpdir(), "myelin-test-"));
  readonly #runs: Myelin[] = [];

  /** The first one brings the database; the others share it and its keys. */
  async start(options: ServerOptions = {}): Promise<Server> {
    if (target !== undefined) return standIn(target);
    const { processes = 1, environment } = options;
    const isFirst = this.#runs.length === 0;
    const run = new Myelin(this.folder, {
      environment: {
        ...SETTINGS,
        MYELIN_SERVER_PROCESSES: String(processes),
        ...(!isFirst && { MYELIN_DATABASE_URL: this.#databaseUrl() }),
        ...environment,
      },
    });
    this.#runs.push(run);
    // A failed hook may keep `remove` from being called.
    process.once("exit", () => run.child.kill("SIGTERM"));
    return {
      url: await readyUrl(run),
      stop: async () => void (await run.stop()),
      async kill() {
        run.child.kill("SIGKILL");
        await run.ended;
      },
    };
  }

  /** What all servers have written about themselves so far. */
  get log(): string {
    return this.#runs.map(({ stderr }) => stderr).join("\n");
  }

  /** Stops every server, that of the database last, and removes the data. */
  async remove(): Promise<void> {
    for (const run of this.#runs.toReversed()) await run.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #databaseUrl(): string {
    const file = join(this.folder, "data", "postgres.json");
    const { port, password } = JSON.parse(readFileSync(file, "utf8")) as {
      port: number;
      password: string;
    };
    return `postgres://myelin:${password}@127.0.0.1:${port}/myelin`;
  }
}

const standIn = (url: string): Server => ({
  url,
  stop: async () => undefined,
  kill: async () => undefined,
});

async function readyUrl(run: Myelin): Promise<string> {
  const url = await run.ready();
  const { status } = await fetch(`${url}/health/ready`);
  if (status !== 200) throw new Error(`/health/ready answers ${status}`);
  return url;
}

/** A deployment for the tests around it. */
export function useDeployment(): Deployment {
  const deployment = new Deployment();
  after("stop the servers", function () {
    this.timeout(30_000);
    return deployment.remove();
  });
  return deployment;
}
