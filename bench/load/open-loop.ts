import { setTimeout as wait } from "node:timers/promises";
import { MAX_ERRORS, type LoopResult } from "./closed-loop.ts";
import { Latencies } from "./latencies.ts";

interface OpenLoop {
  readonly perSecond: number;
  readonly seconds: number;
  /** `intended` is when it was to start; false says that the server refused it. */
  readonly operation: (turn: number, intended: number) => Promise<boolean>;
}

/** What is due while so many run waits, and its time counts all the same. */
const MAX_RUNNING = 1_000;
/** From here on a timer's lateness is spread over many, and spinning costs a core. */
const SPIN_UP_TO_PER_SECOND = 50;
const SPIN_MS = 2;

/**
 * Starts operations at fixed times, whether the server keeps up or not, and
 * counts each from the time at which it was to start: a server that stalls
 * cannot hide the operations that it kept from starting.
 */
export async function runOpenLoop(loop: OpenLoop): Promise<LoopResult> {
  const latencies = new Latencies();
  const total = Math.max(1, Math.round(loop.perSecond * loop.seconds));
  const begun = performance.now();
  const running = new Set<Promise<void>>();
  let errors = 0;
  const start = async (turn: number, intended: number) => {
    const isDone = await loop.operation(turn, intended);
    if (isDone) latencies.add(performance.now() - intended);
    else errors++;
  };
  for (let turn = 0; turn < total; turn++) {
    const intended = begun + (turn * 1000) / loop.perSecond;
    await waitUntil(intended, loop.perSecond <= SPIN_UP_TO_PER_SECOND);
    while (running.size >= MAX_RUNNING) await Promise.race(running);
    if (errors > MAX_ERRORS)
      throw new Error(`the server refused ${errors} operations`);
    const operation = start(turn, intended).finally(() => {
      running.delete(operation);
    });
    running.add(operation);
  }
  await Promise.all(running);
  return { latencies, errors, seconds: (performance.now() - begun) / 1000 };
}

/** Timers wake up to 2 ms late, which would count as the server's time, and sometimes early. */
async function waitUntil(time: number, isExact: boolean): Promise<void> {
  const spin = isExact ? SPIN_MS : 0;
  const leftMs = () => Math.ceil(time - spin - performance.now());
  while (leftMs() > 0) await wait(leftMs());
  while (isExact && performance.now() < time)
    await new Promise((resolve) => setImmediate(resolve));
}
