import { performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { createLoopMeter, restFor } from "../util/loop-load.ts";
import type { PasswordNews, PasswordQuestion } from "./password-messages.ts";
import { takeShare, yieldToAll } from "./thread-class.ts";

/** Hashes passwords beside the thread that serves. */
export interface PasswordHasher {
  hash(text: string): Promise<string>;
  verify(stored: string, text: string): Promise<boolean>;
  /** Lets go of the threads; what waits fails. */
  close(): Promise<void>;
}

interface Asked {
  question: PasswordQuestion;
  resolve(result: string | boolean): void;
  reject(error: Error): void;
}

interface Thread {
  worker: Worker;
  /** Its number, once it runs behind all others. */
  number: number | undefined;
  asked: Asked | undefined;
  begunAt: number;
  /** Runs while it works: it is waited for no longer than this. */
  patience: NodeJS.Timeout | undefined;
  /** Runs while the thread rests. */
  rest: NodeJS.Timeout | undefined;
}

const MOST_WAITING = 1000;
/** A thread holds some ten megabytes: it goes when nobody logs in. */
const IDLE_MS = 30_000;
/** A hash takes some ten milliseconds where the machine has time for it. */
const PATIENCE_MS = 250;

/** After a hash: nothing to speak of where the event loop has little to do. */
const RESTS = { mostTimes: 4, longestMs: 200 };

/**
 * At most `most` threads of a low priority, which rest while the process has much to
 * serve. In the thread pool of Node, hashing at the priority of the serving thread took
 * it half of the machine: sends beside 40 logins a second were three times as late. Low
 * priority alone left them more than twice as late where logins took all that was left.
 */
export function createPasswordHasher(most: number): PasswordHasher {
  const threads = new Set<Thread>();
  const waiting: Asked[] = [];
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;
  const measureLoop = createLoopMeter();

  const start = (): Thread => {
    const worker = new Worker(new URL("./password-thread.js", import.meta.url));
    const thread: Thread = {
      worker,
      number: undefined,
      asked: undefined,
      begunAt: 0,
      patience: undefined,
      rest: undefined,
    };
    threads.add(thread);
    worker.unref();
    worker.on("message", (news: PasswordNews) => {
      if ("thread" in news) {
        void letYield(thread, news.thread);
        return;
      }
      const { asked } = thread;
      thread.asked = undefined;
      clearInterval(thread.patience);
      worker.unref();
      rest(thread);
      if ("result" in news) asked?.resolve(news.result);
      else asked?.reject(new Error(news.failure));
      pump();
    });
    worker.on("error", (error: Error) => thread.asked?.reject(error));
    worker.on("exit", () => {
      threads.delete(thread);
      clearTimeout(thread.rest);
      clearInterval(thread.patience);
      thread.asked?.reject(new Error("The hashing thread ended."));
      if (!isClosed) pump();
    });
    return thread;
  };

  const rest = (thread: Thread): void => {
    const tookMs = performance.now() - thread.begunAt;
    const ms = restFor(tookMs, measureLoop(), RESTS);
    if (ms < 1) return;
    thread.rest = setTimeout(() => {
      thread.rest = undefined;
      pump();
    }, ms);
  };

  const letYield = async (thread: Thread, number: number | undefined) => {
    if (number === undefined) return;
    await yieldToAll(number);
    thread.number = number;
  };

  const hurry = (thread: Thread): void => {
    if (thread.number === undefined) return;
    void takeShare(thread.number);
    clearInterval(thread.patience);
  };

  const pump = (): void => {
    while (waiting.length > 0) {
      const free = [...threads].find(
        ({ asked, rest }) => asked === undefined && rest === undefined,
      );
      const thread = free ?? (threads.size < most ? start() : undefined);
      if (!thread) break;
      thread.asked = waiting.shift()!;
      thread.begunAt = performance.now();
      thread.patience = setInterval(hurry, PATIENCE_MS, thread).unref();
      thread.worker.ref();
      thread.worker.postMessage(thread.asked.question);
    }
    clearTimeout(idle);
    idle = setTimeout(() => void endIdle(), IDLE_MS);
    idle.unref();
  };

  const endIdle = async (): Promise<void> => {
    const unused = [...threads].filter(({ asked }) => asked === undefined);
    // First out of the list, so that nobody is given to a thread that ends.
    for (const thread of unused) threads.delete(thread);
    await Promise.all(unused.map(({ worker }) => worker.terminate()));
  };

  const ask = (question: PasswordQuestion): Promise<string | boolean> =>
    new Promise((resolve, reject) => {
      if (isClosed || waiting.length >= MOST_WAITING) {
        throw new Error("No more passwords can be hashed at the moment.");
      }
      waiting.push({ question, resolve, reject });
      pump();
    });

  return {
    hash: async (text) => String(await ask({ text, stored: null })),
    verify: async (stored, text) => (await ask({ text, stored })) === true,
    async close() {
      isClosed = true;
      clearTimeout(idle);
      const error = new Error("The server is stopping.");
      for (const { reject } of waiting.splice(0)) reject(error);
      for (const thread of threads) clearTimeout(thread.rest);
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}
