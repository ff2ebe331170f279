import type { Bench } from "../bench.ts";
import type { Account } from "../matrix/account.ts";
import { MIB, type Caller } from "../matrix/files.ts";
import { makeThumbnails, uploadImages } from "../matrix/images.ts";
import { syncQuestion } from "../matrix/sync.ts";
import { measureInTurns } from "../measure/in-turns.ts";
import { measureLoad } from "../measure/measure-load.ts";
import { watchResidentBytes } from "../measure/resident-peak.ts";
import { measureRoundTrip, type RoundTrip } from "../measure/round-trip.ts";
import type { Values } from "../report/measurement.ts";
import { combineRounds, ratiosOf } from "../report/rounds.ts";
import { settle } from "./incremental-sync.ts";

const SCENARIO = "B11";
/** What a process grows by when it does anything for the first time. */
const WARM_UP_MIB = 32;

const callerOf = ({ http, token }: Account): Caller => ({
  url: http.url,
  token,
});

/** B11: a large file up and down, and how much memory that takes. */
export async function measureFiles(bench: Bench): Promise<void> {
  const { fileMebibytes: size, rounds } = bench.options;
  const [account] = await bench.accounts.create(1);
  const trip = (mebibytes: number) =>
    measureRoundTrip(
      callerOf(account!),
      mebibytes,
      () => bench.target.cpuSeconds() ?? NaN,
    );
  await trip(Math.min(size, WARM_UP_MIB));
  const memory = watchResidentBytes(bench.target.serverPids());
  const trips: RoundTrip[] = [];
  for (let round = 0; round < rounds; round++) trips.push(await trip(size));
  const growth = memory.stop();
  if (trips.some(({ isSame }) => !isSame))
    throw new Error("what came down is not what went up");
  const valuesOf = ({ ms, cpuMs }: RoundTrip["up"]): Values => ({
    operations: 1,
    megabytesPerSecond: (size * MIB) / ms / 1000,
    ...(Number.isFinite(cpuMs) && { cpuMs }),
  });
  const file = `a file of ${size} MiB`;
  for (const way of ["up", "down"] as const)
    bench.report({
      scenario: SCENARIO,
      title: `${file} ${way}`,
      values: combineRounds(trips.map((one) => valuesOf(one[way]))),
    });
  if (growth !== undefined)
    bench.report({
      scenario: SCENARIO,
      title: `${file} up and down`,
      values: { growthMb: growth / MIB },
    });
}

const LONGEST_SECONDS = 600;

/** B11: syncs alone and beside thumbnails that are asked for all at once, by turns. */
export async function measureThumbnails(bench: Bench): Promise<void> {
  const { rounds, thumbnails } = bench.options;
  const [reader, viewer] = (await bench.accounts.create(2)) as [
    Account,
    Account,
  ];
  const caller = callerOf(viewer);
  bench.say(`${rounds * thumbnails} images go up`);
  const images = await uploadImages(caller, rounds * thumbnails);
  const question = syncQuestion(reader, { since: await settle(reader) });
  const operation = async () =>
    (await reader.http.ask(question)).status === 200;
  const failures: string[] = [];
  const made: Values[] = [];
  const alone = () => measureLoad(bench, { workers: 1, operation });
  const beside = async (round: number): Promise<Values> => {
    const from = round * thumbnails;
    const ids = images.slice(from, from + thumbnails);
    let isOver = false;
    const begun = performance.now();
    const making = makeThumbnails(caller, ids).finally(() => (isOver = true));
    const syncs = await measureLoad(bench, {
      workers: 1,
      warmUpSeconds: 0,
      seconds: LONGEST_SECONDS,
      isOver: () => isOver,
      operation,
    });
    failures.push(...(await making));
    const seconds = (performance.now() - begun) / 1000;
    made.push({ operations: thumbnails, perSecond: thumbnails / seconds });
    return withoutCpu(syncs);
  };
  const [quiet, busy] = await measureInTurns(rounds, [alone, beside]);
  if (failures.length > 0) throw new Error(failures.join(", "));
  const report = (title: string, values: Values) =>
    bench.report({ scenario: SCENARIO, title, values });
  const name = `${thumbnails} thumbnails`;
  report("empty sync alone", combineRounds(quiet!));
  report(`empty sync beside ${name}`, combineRounds(busy!));
  report(`empty sync beside ${name} against alone`, ratiosOf(quiet!, busy!));
  report(`${name}, asked for at once`, combineRounds(made));
}

/** It is that of the thumbnails too. */
function withoutCpu({ cpuMs: _, ...values }: Values): Values {
  return values;
}
