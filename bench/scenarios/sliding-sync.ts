import type { Bench } from "../bench.ts";
import { measureLoad } from "../measure/measure-load.ts";
import type { Account } from "../matrix/account.ts";
import type { Question } from "../matrix/http.ts";
import { accountInRooms } from "./rooms-account.ts";

const PATH =
  "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0";
const MAX_PAINTS = 200;

/** B5: the first 20 rooms as Element X asks for them, each time on a new connection. */
export async function measureSlidingSyncs(bench: Bench): Promise<void> {
  for (const rooms of bench.options.rooms) {
    const { reader } = await accountInRooms(bench, rooms);
    const title = `first paint, 20 of ${rooms} rooms`;
    const { status } = await reader.http.ask(firstPaint(reader, "probe"));
    if (status !== 200) {
      const note = status === 404 ? "not served" : `answers ${status}`;
      bench.report({ scenario: "B5", title, values: {}, note });
      continue;
    }
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

const firstPaint = (reader: Account, connection: string): Question => ({
  method: "POST",
  path: PATH,
  token: reader.token,
  body: {
    conn_id: connection,
    lists: {
      all: {
        ranges: [[0, 19]],
        timeline_limit: 1,
        required_state: [
          ["m.room.name", ""],
          ["m.room.avatar", ""],
          ["m.room.encryption", ""],
          ["m.room.member", "$LAZY"],
          ["m.room.member", "$ME"],
        ],
      },
    },
  },
});
