import type { Bench } from "../bench.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import { must } from "../matrix/http.ts";
import { crowdedRoom } from "./crowded-room.ts";
import { measureSendIn } from "./sends.ts";

const SCENARIO = "keywords";
const PART = 10;
const AT_ONCE = 16;
const RULE = "/_matrix/client/v3/pushrules/global/content/bench";

/** What a send costs in a room where a tenth of the members wait for a word, each for another one. */
export async function measureKeywords(bench: Bench): Promise<void> {
  const members = Math.max(...bench.options.members);
  await crowdedRoom(bench, members);
  const title = `1 sender in a room of ${members} members`;
  const before = await measureSendIn(bench, members);
  bench.report({
    scenario: SCENARIO,
    title: `${title}, before`,
    values: before,
  });
  const accounts = await bench.accounts.crowd(members - 1);
  const waiting = accounts.slice(-Math.floor(members / PART));
  await mapInParallel(waiting, AT_ONCE, ({ http, token }, i) =>
    must(http, {
      method: "PUT",
      path: RULE,
      token,
      body: { pattern: `word${i}`, actions: ["notify"] },
    }),
  );
  const values = await measureSendIn(bench, members);
  const after = `${title}, ${waiting.length} of whom have a keyword`;
  bench.report({ scenario: SCENARIO, title: after, values });
}
