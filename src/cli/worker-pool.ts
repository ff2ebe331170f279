import cluster, { type Worker } from "node:cluster";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Log } from "../edges.ts";
import { BEAT_MS, Heartbeat } from "./heartbeat.ts";
import {
  isOurs,
  type Assignment,
  type FromWorker,
  type ToWorker,
} from "./messages.ts";
import { StartError } from "./start-error.ts";

/** What all of them get. */
type SharedAssignment = Omit<Assignment, "processIndex">;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** Drained or not, a worker has ended by then, for PostgreSQL to stop in peace. */
const LONGEST_STOP_MS = 8500;
/** A worker that served this long was well: the next pause is short again. */
const HEALTHY_MS = 30_000;

/**
 * Serving processes. They are forked at once, so that they load the program
 * while the database starts; each that dies is replaced, ever slower while they
 * keep dying.
 */
export class WorkerPool {
  readonly #log: Log;
  readonly #started: Promise<unknown>;
  #assign!: (assignment: SharedAssignment) => void;
  readonly #assignment = new Promise<SharedAssignment>((resolve) => {
    this.#assign = resolve;
  });
  #isStopping = false;
  #url = "";

  constructor(count: number, log: Log) {
    this.#log = log;
    cluster.setupPrimary({
      exec: fileURLToPath(new URL("../main.js", import.meta.url)),
      args: [],
    });
    const indices = Array.from({ length: count }, (_, i) => i);
    this.#started = Promise.all(
      indices.map((index) => this.#startWorker(index, FIRST_PAUSE_MS)),
    );
    this.#started.catch(() => undefined);
  }

  /** Resolves with the address when all serve; the first failure rejects. */
  async start(assignment: SharedAssignment): Promise<string> {
    this.#assign(assignment);
    await this.#started;
    return this.#url;
  }

  /** Drains all, and resolves when they are gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(
      listWorkers().map(async (worker) => {
        if (worker.isDead()) return;
        const gone = new Promise((resolve) => worker.once("exit", resolve));
        send(worker, { type: "stop" });
        const late = setTimeout(() => this.#cut(worker), LONGEST_STOP_MS);
        await gone;
        clearTimeout(late);
      }),
    );
  }

  #cut(worker: Worker): void {
    const { pid } = worker.process;
    this.#log.error({ pid }, "a process did not stop in time and is ended");
    worker.process.kill("SIGKILL");
  }

  /** Ends all at once. */
  kill(): void {
    this.#isStopping = true;
    for (const worker of listWorkers()) worker.process.kill("SIGKILL");
  }

  pids(): number[] {
    return listWorkers().flatMap((worker) => worker.process.pid ?? []);
  }

  #startWorker(index: number, pause: number): Promise<void> {
    const worker = cluster.fork();
    const started = performance.now();
    let isReady = false;
    return new Promise((resolve, reject) => {
      worker.on("message", (message: unknown) => {
        if (!isOurs(message)) return;
        const { type } = message as FromWorker;
        if (type === "hello") {
          void this.#instruct(worker, index);
          this.#watch(worker, index);
        }
        if (message.type === "failed") reject(new StartError(message.message));
        if (message.type === "ready") {
          isReady = true;
          this.#url = message.url;
          resolve();
        }
      });
      worker.once("exit", (code, signal) => {
        const unserved = `Process ${index} ended before it served.`;
        if (this.#isStopping) return reject(new StartError(unserved));
        const lived = performance.now() - started;
        this.#log.error({ index, code, signal }, "a process died");
        const next = this.#replace(
          index,
          isReady && lived > HEALTHY_MS ? FIRST_PAUSE_MS : pause,
        );
        // Somebody ended it: who waits for it waits for the next, but not for ever.
        if (signal !== null && !isReady && pause < LONGEST_PAUSE_MS)
          return resolve(next);
        reject(new StartError(unserved));
        next.then(
          () => this.#log.info({ index }, "a process was replaced"),
          (error: unknown) => {
            if (this.#isStopping) return;
            this.#log.error({ err: error, index }, "a process did not start");
          },
        );
      });
    });
  }

  async #instruct(worker: Worker, processIndex: number): Promise<void> {
    const assignment = { ...(await this.#assignment), processIndex };
    if (this.#isStopping) return send(worker, { type: "stop" });
    send(worker, { type: "start", assignment });
  }

  /** Ends a worker that has hung; that it ended has it replaced. */
  #watch(worker: Worker, index: number): void {
    const heartbeat = new Heartbeat();
    worker.on("message", () => heartbeat.answered());
    const beat = setInterval(() => {
      if (heartbeat.ask()) return send(worker, { type: "ping" });
      clearInterval(beat);
      const { pid } = worker.process;
      this.#log.error({ index, pid }, "a process has hung and is ended");
      // A stopped process hears no other signal.
      worker.process.kill("SIGKILL");
    }, BEAT_MS);
    worker.once("exit", () => clearInterval(beat));
  }

  async #replace(index: number, pause: number): Promise<void> {
    await sleep(pause);
    if (this.#isStopping) throw new StartError("The server stops.");
    return this.#startWorker(index, Math.min(pause * 2, LONGEST_PAUSE_MS));
  }
}

const send = (worker: Worker, message: ToWorker): void => {
  if (worker.isConnected()) worker.send(message);
};

const listWorkers = (): Worker[] =>
  Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
