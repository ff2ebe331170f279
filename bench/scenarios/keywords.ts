import type { Bench } from "../bench.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import type { Account } from "../matrix/account.ts";
import { must } from "../matrix/http.ts";
import { measureInTurns, waitUntilQuiet } from "../measure/in-turns.ts";
import type { Values } from "../report/measurement.ts";
import { combineRounds, ratiosOf } from "../report/rounds.ts";
import { crowdedRoom } from "./crowded-room.ts";
import { measureSendsIn } from "./sends.ts";

const SCENARIO = "keywords";
const PART = 10;
const AT_ONCE = 16;
const RULE = "/_matrix/client/v3/pushrules/global/content/bench";

/** Sends by turns in a room where nobody, and in one where a tenth of the members waits for a word, each for another one. */
export async function measureKeywords(bench: Bench): Promise<void> {
  const members = Math.max(...bench.options.members);
  const waiting = Math.floor(members / PART);
  const plain = await crowdedRoom(bench, members);
  const crowd = await bench.accounts.crowd(members - 1 - waiting);
  const listeners = await bench.accounts.create(waiting);
  await mapInParallel(listeners, AT_ONCE, waitForWord);
  bench.say(`a room of ${members} members, ${waiting} of whom have a keyword`);
  const keyed = await bench.openRoom([...crowd, ...listeners]);
  await waitUntilQuiet([bench.target]);
  const found = await measureInTurns(
    bench.options.rounds,
    [plain, keyed].map((roomId) => () => measureSendsIn(bench, roomId)),
  );
  const [without, beside] = found as [Values[], Values[]];
  const report = (title: string, values: Values) =>
    bench.report({ scenario: SCENARIO, title, values });
  const title = `1 sender in a room of ${members} members`;
  const have = `${waiting} of whom have a keyword`;
  report(title, combineRounds(without));
  report(`${title}, ${have}`, combineRounds(beside));
  report(`${title}, ${have}, against none`, ratiosOf(without, beside));
}

const waitForWord = ({ http, token }: Account, i: number) =>
  must(http, {
    method: "PUT",
    path: RULE,
    token,
    body: { pattern: `word${i}`, actions: ["notify"] },
  });
