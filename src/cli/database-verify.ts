import { verifyEvents } from "../domain/rooms/verify-events.ts";
import { act, findPlace } from "./act.ts";
import { folderOptions, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";

/** Between two words of how far it has come. */
const TOLD_EVERY = 100_000;
/** Of more it is enough to know that they are there. */
const MOST_TOLD = 20;

/**
 * `myelin database verify`: of every event, whether its bytes are those that its id and
 * its hash are of. It reads, and may run beside a server.
 */
export async function verifyDatabase(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, folderOptions);
  const place = await findPlace(program, options);
  const damaged: string[] = [];
  await act(program, place, async (edges) => {
    let whole = 0;
    let skeletons = 0;
    let told = TOLD_EVERY;
    for await (const step of verifyEvents(edges)) {
      whole += step.whole;
      skeletons += step.skeletons;
      for (const { eventId, fault } of step.damaged)
        damaged.push(`${eventId}: ${fault}`);
      if (whole + skeletons < told) continue;
      program.stderr.write(`${whole + skeletons} events so far\n`);
      told += TOLD_EVERY;
    }
    return `${whole} events are what was sent; of ${skeletons} that were redacted or destroyed the rest is. ${damaged.length} are damaged.`;
  });
  if (damaged.length > 0)
    throw new StartError(damaged.slice(0, MOST_TOLD).join("\n"));
}
