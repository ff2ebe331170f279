import type { Bench } from "../bench.ts";
import { firstPaint, SHOWN } from "../matrix/sliding-sync.ts";
import { waitUntilQuiet } from "../measure/in-turns.ts";
import { measureLoad } from "../measure/measure-load.ts";
import { accountInRooms } from "./rooms-account.ts";

const MAX_PAINTS = 500;

/** B5: the first 20 rooms as Element X asks for them, each time on a new connection. */
export async function measureSlidingSyncs(bench: Bench): Promise<void> {
  for (const rooms of bench.options.rooms) {
    const { reader } = await accountInRooms(bench, rooms);
    const title = `first paint, ${SHOWN} of ${rooms} rooms`;
    const { status } = await reader.http.ask(firstPaint(reader, "probe"));
    if (status !== 200) {
      const note = status === 404 ? "not served" : `answers ${status}`;
      bench.report({ scenario: "B5", title, values: {}, note });
      continue;
    }
    await waitUntilQuiet([bench.target]);
    let connection = 0;
    let bytes = 0;
    const values = await measureLoad(bench, {
      workers: 1,
      maxOperations: MAX_PAINTS,
      async operation() {
        const question = firstPaint(reader, `${connection++}`);
        const answer = await reader.http.ask(question);
        bytes = answer.bytes.length;
        return answer.status === 200;
      },
    });
    const kilobytes = bytes / 1000;
    bench.report({
      scenario: "B5",
      title,
      values: { ...values, kilobytes },
    });
  }
}
