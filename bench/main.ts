// npm run bench [-- --target URL] [--scenario B1,B2,…]; bench/README.md tells of the rest.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseOptions, UsageError, type Options } from "./options.ts";
import { renderCosts } from "./report/costs.ts";
import { isReportWhole, renderReport, type Report } from "./report/report.ts";
import { runBench } from "./run.ts";
import { runSuite } from "./run-suite.ts";

const COMMITTED = "bench/figures.json";

async function run(options: Options): Promise<void> {
  const committed = options.isCi ? readCommitted() : undefined;
  const report = await runBench(options);
  process.stdout.write(`\n${renderReport(report)}`);
  if (committed) process.stdout.write(renderCosts(committed, report));
  if (options.out !== undefined)
    writeFileSync(options.out, `${JSON.stringify(report, null, 2)}\n`);
  if (isReportWhole(report)) return;
  if (report.ledger) process.stdout.write("The ledger is not whole.\n");
  process.exitCode = 1;
}

/** Undefined before the first are written. */
function readCommitted(): Report | undefined {
  if (!existsSync(COMMITTED)) return undefined;
  return JSON.parse(readFileSync(COMMITTED, "utf8")) as Report;
}

try {
  const args = process.argv.slice(2);
  const options = parseOptions(args);
  if (options.suite === undefined) await run(options);
  else await runSuite(options, args);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
