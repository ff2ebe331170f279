export interface WokenWorkOptions {
  /** The least time between two beginnings; none unless said. */
  restMs?: number;
  /** How long it waits after what has failed. */
  retryMs?: number;
  onError(error: unknown): void;
}

/**
 * Work that is done whenever it is woken, and never twice at once: whoever wakes it
 * while it runs has it run once more. What fails is tried again.
 */
export class WokenWork {
  readonly #work: () => Promise<void>;
  readonly #options: Required<WokenWorkOptions>;
  #isWoken = false;
  #isStopped = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(work: () => Promise<void>, options: WokenWorkOptions) {
    this.#work = work;
    this.#options = { restMs: 0, retryMs: 1000, ...options };
  }

  wake(): void {
    this.#isWoken = true;
    if (this.#running || this.#timer || this.#isStopped) return;
    this.#running = this.#run();
  }

  /** Waits for what has begun; nothing begins any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { restMs, retryMs, onError } = this.#options;
    const begun = performance.now();
    let waitMs = restMs;
    this.#isWoken = false;
    try {
      await this.#work();
      waitMs -= performance.now() - begun;
    } catch (error) {
      onError(error);
      this.#isWoken = true;
      waitMs = retryMs;
    }
    this.#running = undefined;
    if (this.#isStopped) return;
    if (waitMs > 0) this.#rest(waitMs);
    else if (this.#isWoken) this.wake();
  }

  #rest(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#isWoken) this.wake();
    }, ms).unref();
  }
}
