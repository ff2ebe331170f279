import { setTimeout as wait } from "node:timers/promises";
import { mapInParallel } from "../load/in-parallel.ts";
import type { Values } from "../report/measurement.ts";
import type { Target } from "../target/target.ts";

/** Does its work once more, and tells what that took. */
export type Side = (round: number) => Promise<Values>;

/**
 * Measures each side as often as there are rounds, in one order and then in
 * the other, so that what the machine does besides falls on all of them.
 */
export async function measureInTurns(
  rounds: number,
  sides: readonly Side[],
): Promise<Values[][]> {
  const found = sides.map((): Values[] => []);
  const order = [...sides.keys()];
  for (let round = 0; round < rounds; round++)
    for (const i of round % 2 === 0 ? order : order.toReversed())
      found[i]!.push(await sides[i]!(round));
  return found;
}

const LOOK_SECONDS = 1;
const LONGEST_LOOKS = 60;
/** Of a core. */
const QUIET = 0.05;

/** Waits until what large writes leave behind, such as vacuuming, is done; not for ever. */
export async function waitUntilQuiet(
  targets: readonly Target[],
): Promise<void> {
  await mapInParallel(targets, targets.length, async (target) => {
    for (let look = 0; look < LONGEST_LOOKS; look++) {
      const before = target.cpuSeconds();
      if (before === undefined) return;
      await wait(LOOK_SECONDS * 1000);
      const used = (target.cpuSeconds() ?? before) - before;
      if (used < QUIET * LOOK_SECONDS) return;
    }
  });
}
