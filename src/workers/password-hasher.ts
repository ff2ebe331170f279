import { Worker } from "node:worker_threads";
import type { PasswordAnswer, PasswordQuestion } from "./password-messages.ts";

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
  asked: Asked | undefined;
}

const MOST_WAITING = 1000;
/** A thread holds some ten megabytes: it goes when nobody logs in. */
const IDLE_MS = 30_000;

/**
 * At most `most` threads of a low priority. In the thread pool of Node, hashing at the
 * priority of the serving thread took it half of the machine: sends beside 40 logins a
 * second were three times as late.
 */
export function createPasswordHasher(most: number): PasswordHasher {
  const threads = new Set<Thread>();
  const waiting: Asked[] = [];
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;

  const start = (): Thread => {
    const worker = new Worker(new URL("./password-thread.js", import.meta.url));
    const thread: Thread = { worker, asked: undefined };
    threads.add(thread);
    worker.unref();
    worker.on("message", (answer: PasswordAnswer) => {
      const { asked } = thread;
      thread.asked = undefined;
      worker.unref();
      if ("result" in answer) asked?.resolve(answer.result);
      else asked?.reject(new Error(answer.failure));
      pump();
    });
    worker.on("error", (error: Error) => thread.asked?.reject(error));
    worker.on("exit", () => {
      threads.delete(thread);
      thread.asked?.reject(new Error("The hashing thread ended."));
      if (!isClosed) pump();
    });
    return thread;
  };

  const pump = (): void => {
    while (waiting.length > 0) {
      const free = [...threads].find(({ asked }) => asked === undefined);
      const thread = free ?? (threads.size < most ? start() : undefined);
      if (!thread) break;
      thread.asked = waiting.shift()!;
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
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}
