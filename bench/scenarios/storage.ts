import type { Bench } from "../bench.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import { spreadSenders } from "./sends.ts";
import { storedEach } from "./stored-each.ts";

const SENDERS = 16;
const ROOMS = 8;
const LONGEST_SECONDS = 1_800;

/** B15: what a message takes on disk. */
export async function measureStorage(bench: Bench): Promise<void> {
  const { messages } = bench.options;
  const operation = await spreadSenders(bench, SENDERS, ROOMS);
  const warmUp = { workers: SENDERS, seconds: bench.options.warmUpSeconds };
  await runClosedLoop({ ...warmUp, operation });
  const before = await bench.target.storedBytes();
  const { latencies } = await runClosedLoop({
    workers: SENDERS,
    seconds: LONGEST_SECONDS,
    maxOperations: messages,
    operation,
  });
  const after = await bench.target.storedBytes();
  bench.report({
    scenario: "B15",
    title: "a message",
    ...storedEach(before, after, latencies.count),
  });
}
