import type { Bench } from "../bench.ts";
import { measureLoad } from "../measure/measure-load.ts";
import { watchResidentBytes } from "../measure/resident-peak.ts";
import { through } from "../matrix/accounts.ts";
import { syncQuestion } from "../matrix/sync.ts";
import { accountInRooms } from "./rooms-account.ts";

const MAX_SYNCS = 10;
const BYTES_PER_MB = 1024 * 1024;

/** B3: the first sync of an account in many rooms, its members loaded lazily. */
export async function measureInitialSyncs(bench: Bench): Promise<void> {
  for (const rooms of bench.options.rooms) {
    const account = await accountInRooms(bench, rooms);
    // Of two processes the second: one that has not just opened all the rooms.
    const reader = through(bench.https.at(-1)!, account.reader);
    const question = syncQuestion(reader, { hasLazyMembers: true });
    let bytes = 0;
    const operation = async () => {
      const answer = await reader.http.ask(question);
      bytes = answer.bytes.length;
      return answer.status === 200;
    };
    const peak = watchResidentBytes(bench.target.serverPids());
    const load = { workers: 1, operation, maxOperations: MAX_SYNCS };
    const values = await measureLoad(bench, { ...load, warmUpSeconds: 0 });
    const growth = peak.stop();
    bench.report({
      scenario: "B3",
      title: `first sync of ${rooms} rooms`,
      values: {
        ...values,
        kilobytes: bytes / 1000,
        ...(growth !== undefined && { growthMb: growth / BYTES_PER_MB }),
      },
    });
  }
}
