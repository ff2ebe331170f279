import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../edges.ts";
import type { Binaries } from "./binaries.ts";
import type { Launch } from "./launcher.ts";
import { launchPostmaster, stopPostmaster } from "./postmaster.ts";
import type { Place } from "./settings.ts";

const LONGEST_PAUSE_MS = 1000;
/** Sessions of a killed PostgreSQL may hold its memory a moment longer. */
const FIRST_TRIES = 5;

/** Keeps one PostgreSQL running: when it dies, it is started again. */
export class PostmasterKeeper {
  readonly #place: Place;
  readonly #binaries: Binaries;
  readonly #launch: Launch;
  readonly #log: Log;
  readonly #clear: () => Promise<void>;
  #child: ChildProcess | undefined;
  readonly #stopping = new AbortController();
  #restart: Promise<void> = Promise.resolve();

  /** @param clear ends what is left of one that died; done before each start */
  constructor(
    place: Place,
    binaries: Binaries,
    launch: Launch,
    log: Log,
    clear: () => Promise<void>,
  ) {
    this.#place = place;
    this.#binaries = binaries;
    this.#launch = launch;
    this.#log = log;
    this.#clear = clear;
  }

  async start(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#startOnce();
        return;
      } catch (error) {
        if (tries === FIRST_TRIES) throw error;
        await sleep(100 * 2 ** tries);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#child) await stopPostmaster(this.#child);
    await this.#restart;
  }

  /** Ends all sessions at once; the next start recovers what they committed. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill("SIGQUIT");
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #startOnce(): Promise<void> {
    await this.#clear();
    const { child, ready } = await launchPostmaster(
      this.#place,
      this.#binaries,
      this.#launch,
    );
    this.#child = child;
    if (this.#isStopping) child.kill("SIGINT");
    await ready;
    child.once("exit", (code, signal) => {
      if (this.#isStopping) return;
      this.#log.error({ code, signal }, "PostgreSQL died and is started again");
      this.#restart = this.#startAgain();
    });
  }

  async #startAgain(): Promise<void> {
    for (let pause = 50; !this.#isStopping; pause *= 2) {
      try {
        await this.#startOnce();
        this.#log.info({}, "PostgreSQL runs again");
        return;
      } catch (error) {
        if (this.#isStopping) return;
        this.#log.error({ err: error }, "PostgreSQL did not start");
        await this.#pause(Math.min(pause, LONGEST_PAUSE_MS));
      }
    }
  }

  /** Shorter where the stop comes first. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}
