import type { Bench } from "../bench.ts";
import {
  runClosedLoop,
  type LoopResult,
  type Operation,
} from "../load/closed-loop.ts";
import type { Values } from "../report/measurement.ts";
import { startMeter, type Meter } from "./meter.ts";

interface Load {
  readonly workers: number;
  readonly operation: Operation;
  readonly maxOperations?: number;
  readonly seconds?: number;
  readonly warmUpSeconds?: number;
  readonly isOver?: () => boolean;
}

/** Warms up, then counts what workers get done in the time of the options. */
export async function measureLoad(bench: Bench, load: Load): Promise<Values> {
  const { seconds, warmUpSeconds } = { ...bench.options, ...load };
  const { workers, operation, maxOperations, isOver } = load;
  if (warmUpSeconds > 0)
    await runClosedLoop({ workers, seconds: warmUpSeconds, operation });
  const meter = startMeter(bench.target);
  const result = await runClosedLoop({
    workers,
    seconds,
    operation,
    ...(maxOperations !== undefined && { maxOperations }),
    ...(isOver && { isOver }),
  });
  return valuesOf(result, meter);
}

export const valuesOf = (result: LoopResult, meter: Meter): Values => ({
  operations: result.latencies.count,
  ...(result.errors > 0 && { errors: result.errors }),
  perSecond: result.latencies.count / result.seconds,
  ...result.latencies.summary(),
  ...meter.read(result.latencies.count),
});
