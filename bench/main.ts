// npm run bench [-- --target URL] [--scenario B1,B2,…]; bench/README.md tells of the rest.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Bench } from "./bench.ts";
import { checkLedger } from "./ledger/check.ts";
import { parseOptions, UsageError, type Options } from "./options.ts";
import { renderCosts } from "./report/costs.ts";
import {
  describeMachine,
  isReportWhole,
  renderReport,
  type Report,
} from "./report/report.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";
import { openForeign } from "./target/foreign.ts";
import { startOurs } from "./target/ours.ts";
import type { Target } from "./target/target.ts";

const COMMITTED = "bench/figures.json";

async function measure(target: Target, options: Options): Promise<Report> {
  const begun = performance.now();
  const say = (line: string) => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stderr.write(`${seconds.padStart(7)} s  ${line}\n`);
  };
  const bench = new Bench(target, options, Date.now().toString(36), say);
  const settings = {
    ...target.settings,
    ...describeMachine(),
    seconds: options.seconds,
  };
  try {
    for (const [name, scenario] of SCENARIOS)
      if (options.scenarios.includes(name))
        await attempt(bench, name, async () => {
          await scenario(bench);
          await bench.catchUp();
        });
    const ledger = await attempt(bench, "ledger", () => checkLedger(bench));
    const { measurements } = bench;
    const date = new Date().toISOString();
    return { date, settings, measurements, ...(ledger && { ledger }) };
  } finally {
    await bench.close();
  }
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
    bench.report({ scenario, title: "broke off", values: {}, note });
    process.exitCode = 1;
    return undefined;
  }
}

async function run(options: Options): Promise<void> {
  const committed = options.isCi ? readCommitted() : undefined;
  const target =
    options.targets.length === 0
      ? await startOurs(options)
      : await openForeign(options);
  stopOnSignals(target);
  try {
    const report = await measure(target, options);
    process.stdout.write(`\n${renderReport(report)}`);
    if (committed) process.stdout.write(renderCosts(committed, report));
    if (options.out !== undefined)
      writeFileSync(options.out, `${JSON.stringify(report, null, 2)}\n`);
    if (isReportWhole(report)) return;
    if (report.ledger) process.stdout.write("The ledger is not whole.\n");
    process.exitCode = 1;
  } finally {
    await target.stop();
  }
}

/** Undefined before the first are written. */
function readCommitted(): Report | undefined {
  if (!existsSync(COMMITTED)) return undefined;
  return JSON.parse(readFileSync(COMMITTED, "utf8")) as Report;
}

function stopOnSignals(target: Target): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      void target.stop().finally(() => process.exit(1));
    });
}

try {
  await run(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
