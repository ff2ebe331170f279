import type { Bench } from "../bench.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import type { Account } from "../matrix/account.ts";

const LONGEST_SECONDS = 3_600;
const SAY_EVERY_MS = 10_000;

/** Sends, as all of these at once, until a room holds so many messages. */
export async function fillRoom(
  bench: Bench,
  fillers: readonly Account[],
  roomId: string,
  size: number,
): Promise<void> {
  const entries = bench.ledger.entriesOf(roomId);
  bench.say(`filling a room with ${size - entries.length} messages`);
  let said = performance.now();
  await runClosedLoop({
    workers: fillers.length,
    seconds: LONGEST_SECONDS,
    maxOperations: size - entries.length,
    operation: (worker) => {
      if (performance.now() - said > SAY_EVERY_MS) {
        said = performance.now();
        bench.say(
          `${bench.ledger.entriesOf(roomId).length} of ${size} messages`,
        );
      }
      return bench.send(fillers[worker]!, roomId);
    },
  });
}
