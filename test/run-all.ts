// npm test: every suite in its own process, their output as it comes, and the sum of their counts as the last line.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseCounts, sumCounts, type Counts } from "./support/counts.ts";

/** The scripts of package.json that make up `npm test`. */
const SUITES = ["test:specs", "test:blackbox", "test:faults", "conformance"];

/** How much of a failed suite's end is told again at the very end, in characters: mocha's list of failures stands there. */
const RETOLD = 8000;

/** A suite that does not end by then hangs, and has failed. */
const LONGEST_MS = 25 * 60_000;

/** What the failed suites said last. */
const retold: string[] = [];

let running: ReturnType<typeof spawn> | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    end(signal);
    process.exit(1);
  });
}

/** Ends the running suite with all that it started. */
function end(signal: NodeJS.Signals): void {
  if (running?.pid !== undefined) process.kill(-running.pid, signal);
}

async function runSuite(script: string): Promise<Counts> {
  process.stdout.write(`\n# npm run ${script}\n`);
  const child = spawn("npm", ["run", "--silent", script], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  running = child;
  const hung = setTimeout(() => {
    process.stdout.write(`\n${script} does not end and is ended.\n`);
    end("SIGKILL");
  }, LONGEST_MS);
  let tail = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    tail = (tail + text).slice(-RETOLD);
  });
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(hung);
  const counts = parseCounts(tail, code);
  if (counts.failed > 0)
    retold.push(`\n# ${script} failed; its end was:\n${tail}`);
  return counts;
}

const counts: Counts[] = [];
for (const script of SUITES) counts.push(await runSuite(script));
for (const end of retold) process.stdout.write(end);
const { passed, failed } = sumCounts(counts);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
