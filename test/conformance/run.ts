// npm run conformance [-- --target URL --secret S] [--only REGEX] [--record ours|synapse]
import { parseArgs } from "node:util";
import { loadRows } from "./harness/load.ts";
import { startOurs } from "./harness/ours.ts";
import { withParents } from "./harness/parents.ts";
import { keyOf } from "./harness/registry.ts";
import { restartBy } from "./harness/restart.ts";
import { runRows, titleOf, type Outcome } from "./harness/runner.ts";
import { Server, type ServerOptions } from "./harness/server.ts";
import {
  listBehaviours,
  recordResults,
  type Verdict,
} from "./harness/tables.ts";

const { values } = parseArgs({
  options: {
    /** The base URL of a running homeserver; ours is started where none is given. */
    target: { type: "string" },
    /** The shared secret of /_synapse/admin/v1/register. */
    secret: { type: "string" },
    "registration-token": { type: "string" },
    /** A command of the shell that ends and starts the other server; without it rows that want that are left out. */
    restart: { type: "string" },
    /** Runs only rows whose "group/test/case" matches. */
    only: { type: "string" },
    /** Where the log of a server of ours goes. */
    log: { type: "string", default: "build/conformance.log" },
    jobs: { type: "string", default: "4" },
    /** Writes the outcome of a whole run into this column of results.tsv. */
    record: { type: "string" },
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);

function tell({ row, error, ms }: Outcome): void {
  say(`${error ? "FAIL" : "pass"}  ${titleOf(row)}  (${ms} ms)`);
  if (error) say(`      ${error.message.replaceAll("\n", "\n      ")}`);
}

async function run(target: ServerOptions) {
  const server = new Server(target);
  const only = new RegExp(values.only ?? "");
  const rows = (await loadRows()).filter(
    (row) =>
      only.test(keyOf(row).replaceAll("\t", "/")) &&
      (row.options.restarts !== true || target.restart !== undefined),
  );
  const started = performance.now();
  const outcomes = await runRows(rows, server, Number(values.jobs), tell);
  const failed = outcomes.filter((outcome) => outcome.error);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`\n${outcomes.length} rows in ${seconds} s, ${failed.length} failed`);
  for (const { row } of failed) say(`  ${titleOf(row)}`);
  say(`${outcomes.length - failed.length} passed, ${failed.length} failed`);
  return outcomes;
}

function record(outcomes: Outcome[]): void {
  const column = values.record;
  if (column !== "ours" && column !== "synapse") return;
  const tested = new Map<string, Verdict>(
    outcomes.map(({ row, error }) => [keyOf(row), error ? "fail" : "pass"]),
  );
  recordResults(column, withParents(listBehaviours(), tested));
}

if (values.record !== undefined && values.only !== undefined)
  throw new Error("--record wants a whole run, without --only");
if (values.record === "synapse" && values.restart === undefined)
  throw new Error("--record wants every row, and so --restart");

const started =
  values.target === undefined ? await startOurs(values.log) : undefined;
const { target: baseUrl = "", secret, restart } = values;
const other: ServerOptions = {
  baseUrl,
  secret,
  registrationToken: values["registration-token"],
  restart: restart === undefined ? restart : () => restartBy(restart, baseUrl),
};
try {
  const outcomes = await run(started ?? other);
  record(outcomes);
  process.exitCode = outcomes.some((outcome) => outcome.error) ? 1 : 0;
} finally {
  await started?.stop();
}
