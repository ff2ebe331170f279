import type { Bench } from "../bench.ts";
import { holdSnapshot } from "../measure/database-size.ts";
import { measureLoad } from "../measure/measure-load.ts";
import { ratiosOf } from "../report/rounds.ts";
import { spreadSenders } from "./sends.ts";

const SCENARIO = "B1";
const ROOMS = 8;

/** B1: sends before a snapshot of the database, at its end, and when it is gone. */
export async function measureSnapshot(bench: Bench): Promise<void> {
  const { databaseUrl } = bench.target;
  const { senders, snapshotSeconds, seconds } = bench.options;
  if (snapshotSeconds === 0) return;
  const workers = Math.max(...senders);
  const title = `${workers} senders in ${ROOMS} rooms`;
  const held = `a snapshot held for ${snapshotSeconds} s`;
  if (databaseUrl === undefined) {
    const note = "not measured: needs --database";
    bench.report({ scenario: SCENARIO, title: held, values: {}, note });
    return;
  }
  const [owner] = await bench.accounts.create(1);
  const operation = await spreadSenders(bench, workers, ROOMS, owner);
  const before = await measureLoad(bench, { workers, operation });
  bench.report({
    scenario: SCENARIO,
    title: `${title}, before ${held}`,
    values: before,
  });
  bench.say(held);
  const snapshot = await holdSnapshot(databaseUrl);
  const warmUpSeconds = Math.max(0, snapshotSeconds - seconds);
  const during = await measureLoad(bench, {
    workers,
    operation,
    warmUpSeconds,
  }).finally(() => snapshot.release());
  bench.report({
    scenario: SCENARIO,
    title: `${title}, ${held}`,
    values: during,
  });
  bench.report({
    scenario: SCENARIO,
    title: `${held} against before`,
    values: ratiosOf([before], [during]),
  });
  const after = await measureLoad(bench, { workers, operation });
  bench.report({
    scenario: SCENARIO,
    title: `${title}, after ${held}`,
    values: after,
  });
  bench.report({
    scenario: SCENARIO,
    title: `${held} against after`,
    values: ratiosOf([after], [during]),
  });
}
