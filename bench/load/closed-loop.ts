import { Latencies } from "./latencies.ts";

/** Does one operation; false says that the server refused it. */
export type Operation = (worker: number, turn: number) => Promise<boolean>;

export interface LoopResult {
  readonly latencies: Latencies;
  readonly errors: number;
  readonly seconds: number;
}

interface ClosedLoop {
  readonly workers: number;
  readonly seconds: number;
  /** Ends the loop before its time; of all workers together. */
  readonly maxOperations?: number;
  /** Ends the loop before its time, where what it is measured beside is over. */
  readonly isOver?: () => boolean;
  readonly operation: Operation;
}

/** A server that refuses this much is not being measured. */
export const MAX_ERRORS = 1_000;

/** Workers that each wait for an answer before they ask again. */
export async function runClosedLoop(loop: ClosedLoop): Promise<LoopResult> {
  const latencies = new Latencies();
  const maxOperations = loop.maxOperations ?? Infinity;
  const begun = performance.now();
  const end = begun + loop.seconds * 1000;
  let started = 0;
  let errors = 0;
  const work = async (worker: number) => {
    for (let turn = 0; performance.now() < end; turn++) {
      if (started++ >= maxOperations || loop.isOver?.()) return;
      const from = performance.now();
      const isDone = await loop.operation(worker, turn);
      if (isDone) latencies.add(performance.now() - from);
      else if (++errors > MAX_ERRORS)
        throw new Error(`the server refused ${errors} operations`);
    }
  };
  await Promise.all(Array.from({ length: loop.workers }, (_, i) => work(i)));
  return { latencies, errors, seconds: (performance.now() - begun) / 1000 };
}
