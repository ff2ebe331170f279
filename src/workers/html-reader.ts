import { Worker } from "node:worker_threads";
import { Turns } from "../util/turns.ts";
import type { HtmlAnswer, HtmlQuestion, PageFacts } from "./html-messages.ts";

/** Reads pages of strangers beside the thread that serves, in one that can be killed. */
export interface HtmlReader {
  /** Rejects where it takes too long or too much memory. */
  read(page: HtmlQuestion): Promise<PageFacts>;
  /** Lets go of the threads; what is being read fails. */
  close(): Promise<void>;
}

/** For one page. */
const DEADLINE_MS = 2_000;
const MOST_MEMORY_MB = 64;
const AT_ONCE = 2;
const MOST_WAITING = 100;
/** A thread that nobody needs goes. */
const IDLE_MS = 30_000;

export function createHtmlReader(deadlineMs = DEADLINE_MS): HtmlReader {
  const turns = new Turns(AT_ONCE);
  const threads = new Set<Worker>();
  const spare: Worker[] = [];
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;

  const start = (): Worker => {
    const worker = new Worker(new URL("./html-thread.js", import.meta.url), {
      resourceLimits: {
        maxOldGenerationSizeMb: MOST_MEMORY_MB,
        maxYoungGenerationSizeMb: 16,
        stackSizeMb: 2,
      },
    });
    threads.add(worker);
    worker.once("exit", () => threads.delete(worker));
    // Of one that ends while nobody listens.
    worker.on("error", () => undefined);
    return worker;
  };

  const end = async (worker: Worker): Promise<void> => {
    threads.delete(worker);
    await worker.terminate();
  };

  const rest = (worker: Worker): void => {
    spare.push(worker);
    worker.unref();
    clearTimeout(idle);
    idle = setTimeout(() => {
      for (const unused of spare.splice(0)) void end(unused);
    }, IDLE_MS).unref();
  };

  const work = async (page: HtmlQuestion): Promise<PageFacts> => {
    if (isClosed) throw new Error("The server is stopping.");
    const worker = spare.pop() ?? start();
    worker.ref();
    try {
      const answer = await ask(worker, page, deadlineMs);
      rest(worker);
      if ("facts" in answer) return answer.facts;
      throw new Error(answer.failure);
    } catch (error) {
      if (!spare.includes(worker)) void end(worker);
      throw error;
    }
  };

  return {
    async read(page) {
      if (turns.waiting("") >= MOST_WAITING)
        throw new Error("Too many pages are to be read at the moment.");
      return turns.run("", () => work(page));
    },
    async close() {
      isClosed = true;
      clearTimeout(idle);
      await Promise.all([...threads].map(end));
    },
  };
}

function ask(
  worker: Worker,
  page: HtmlQuestion,
  deadlineMs: number,
): Promise<HtmlAnswer> {
  return new Promise<HtmlAnswer>((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      worker.off("error", onEnd);
      worker.off("exit", onEnd);
    };
    const onMessage = (answer: HtmlAnswer): void => {
      settle();
      resolve(answer);
    };
    const onEnd = (cause?: unknown): void => {
      settle();
      reject(new Error("A page could not be read to its end.", { cause }));
    };
    const timer = setTimeout(onEnd, deadlineMs);
    worker.on("message", onMessage);
    worker.on("error", onEnd);
    worker.on("exit", onEnd);
    worker.postMessage(page);
  });
}
