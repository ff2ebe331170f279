import { Bench } from "./bench.ts";
import { checkLedger } from "./ledger/check.ts";
import { addLedgers, type Ledgers } from "./ledger/verdict.ts";
import type { Options } from "./options.ts";
import { measurePair, PAIRS, type Pair } from "./pairs.ts";
import { BROKE_OFF, describeMachine, type Report } from "./report/report.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";
import { openForeign } from "./target/foreign.ts";
import { startOurs } from "./target/ours.ts";
import type { Target } from "./target/target.ts";

/** Starts or opens what is measured, measures it, and leaves nothing running. */
export async function runBench(options: Options): Promise<Report> {
  const pair = options.pair === undefined ? undefined : PAIRS.get(options.pair);
  const variants = pair?.servers.map((one) => one.options) ?? [{}];
  const targets: Target[] = [];
  const stop = async () => {
    for (const target of targets) await target.stop();
  };
  stopOnSignals(stop);
  try {
    for (const variant of variants)
      targets.push(await openTarget({ ...options, ...variant }));
    return await measure(targets, options, pair);
  } finally {
    await stop();
  }
}

const openTarget = (options: Options): Promise<Target> =>
  options.targets.length === 0 ? startOurs(options) : openForeign(options);

function stopOnSignals(stop: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      void stop().finally(() => process.exit(1));
    });
}

async function measure(
  targets: readonly Target[],
  options: Options,
  pair: Pair | undefined,
): Promise<Report> {
  const begun = performance.now();
  const say = (line: string) => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stderr.write(`${seconds.padStart(7)} s  ${line}\n`);
  };
  const run = Date.now().toString(36);
  const benches = targets.map(
    (target, i) => new Bench(target, options, `${run}${"xy"[i] ?? ""}`, say),
  );
  const [bench] = benches as [Bench];
  const settings = {
    ...bench.target.settings,
    ...(options.pair !== undefined && { pair: options.pair }),
    ...describeMachine(),
    seconds: options.seconds,
  };
  try {
    if (pair !== undefined)
      await attempt(bench, "B1", () => measurePair(benches, pair));
    else
      for (const [name, scenario] of SCENARIOS)
        if (options.scenarios.includes(name))
          await attempt(bench, name, async () => {
            await scenario(bench);
            await bench.catchUp();
          });
    const ledger = await attempt(bench, "ledger", () => checkAll(benches));
    const { measurements } = bench;
    const date = new Date().toISOString();
    return { date, settings, measurements, ...(ledger && { ledger }) };
  } finally {
    for (const one of benches) await one.close();
  }
}

async function checkAll(benches: readonly Bench[]): Promise<Ledgers> {
  let all: Ledgers | undefined;
  for (const bench of benches) {
    const one = await checkLedger(bench);
    all = all === undefined ? one : addLedgers(all, one);
  }
  if (all === undefined) throw new TypeError("nothing was measured");
  return all;
}

/** What breaks off does not keep the rest from being measured and told. */
async function attempt<T>(
  bench: Bench,
  scenario: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    bench.report({ scenario, title: BROKE_OFF, values: {}, note });
    process.exitCode = 1;
    return undefined;
  }
}
