import type { Bench } from "../bench.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import { Latencies } from "../load/latencies.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import type { Account } from "../matrix/account.ts";
import { through } from "../matrix/accounts.ts";
import { Http, refusal } from "../matrix/http.ts";
import { firstPaint, SHOWN } from "../matrix/sliding-sync.ts";
import { waitUntilQuiet } from "../measure/in-turns.ts";
import { startMeter } from "../measure/meter.ts";
import type { Values } from "../report/measurement.ts";
import { accountInRooms } from "./rooms-account.ts";

const SCENARIO = "B5";
/** Of each round, for each size. */
const STARTS = 3;
/** What a process has done for another user before it meets this one. */
const PAINTS_BEFORE = 200;
const ROOMS_BEFORE = 40;

/** B5: a first paint by a process that has never heard of the user, and by one that has heard of nobody. */
export async function measureColdSlidingSyncs(bench: Bench): Promise<void> {
  const { target, options } = bench;
  const title = (rooms: number) => `first paint, ${SHOWN} of ${rooms} rooms`;
  if (target.startAnother === undefined) {
    bench.report({
      scenario: SCENARIO,
      title: `${title(Math.max(...options.rooms))}, cold`,
      values: {},
      note: "not measured: needs a server that is started here",
    });
    return;
  }
  const accounts = await mapInParallel(options.rooms, 1, (rooms) =>
    accountInRooms(bench, rooms),
  );
  const { reader: other } = await accountInRooms(bench, ROOMS_BEFORE);
  for (const [i, { reader }] of accounts.entries()) {
    const stranger = new Paints();
    const newborn = new Paints();
    for (let start = 0; start < STARTS * options.rounds; start++) {
      await paintBy(bench, reader, newborn);
      await paintBy(bench, reader, stranger, other);
    }
    const report = (how: string, paints: Paints) =>
      bench.report({
        scenario: SCENARIO,
        title: `${title(options.rooms[i]!)}, by a process that ${how}`,
        values: paints.values(),
      });
    report("knows other users", stranger);
    report("has just started", newborn);
  }
}

/** One paint by a new process, which may have painted for another user before. */
async function paintBy(
  bench: Bench,
  reader: Account,
  paints: Paints,
  before?: Account,
): Promise<void> {
  const { target } = bench;
  const server = await target.startAnother!();
  const http = new Http(server.url);
  try {
    if (before) await paintOften(through(http, before));
    await waitUntilQuiet([target]);
    // The connection is there already, as that of a proxy would be.
    await http.ask({ method: "GET", path: "/health/live" });
    const meter = startMeter(target);
    await paints.add(through(http, reader));
    paints.cpuMs += meter.read(1).cpuMs ?? NaN;
  } finally {
    await http.close();
    await server.stop();
  }
}

async function paintOften(account: Account): Promise<void> {
  await runClosedLoop({
    workers: 1,
    seconds: 10,
    maxOperations: PAINTS_BEFORE,
    async operation(_worker, turn) {
      const question = firstPaint(account, `${turn}`);
      return (await account.http.ask(question)).status === 200;
    },
  });
}

/** Paints that are far between. */
class Paints {
  readonly #latencies = new Latencies();
  cpuMs = 0;

  async add(reader: Account): Promise<void> {
    const question = firstPaint(reader, "cold");
    const begun = performance.now();
    const answer = await reader.http.ask(question);
    this.#latencies.add(performance.now() - begun);
    if (answer.status !== 200) throw refusal(question, answer);
  }

  values(): Values {
    const { count } = this.#latencies;
    return {
      operations: count,
      ...this.#latencies.summary(),
      ...(Number.isFinite(this.cpuMs) && { cpuMs: this.cpuMs / count }),
    };
  }
}
