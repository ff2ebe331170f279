import { parseArgs } from "node:util";
import { cases } from "./cases.ts";
import { NotRun, type Outcome, type ProofCase } from "./proof.ts";
import { ResultsFile } from "./results-file.ts";

/*
 * npm run proof: every case at its full volume, what a stopped run had done left out.
 *   --share 0.02   a fixed small part of it, recorded nowhere
 *   --case NAME    that case alone
 */
const { values } = parseArgs({
  options: { share: { type: "string" }, case: { type: "string" } },
});
const chosen = cases.filter(
  ({ name }) => values.case === undefined || name === values.case,
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => process.exit(1));
let passed = 0;
let failed = 0;
const say = (text: string) => process.stdout.write(`${text}\n`);

function report(name: string, { counts, claims }: Outcome, ms: number): void {
  const figures = Object.entries(counts).map(([what, n]) => `${n} ${what}`);
  say(`${name} (${Math.round(ms / 1000)} s): ${figures.join(", ")}`);
  for (const [claim, faults] of Object.entries(claims)) {
    if (faults.length === 0) passed += 1;
    else failed += 1;
    if (faults.length > 0)
      say(`  FAILED: ${claim}\n    ${faults.join("\n    ")}`);
  }
}

async function attempt(
  { name, run }: ProofCase,
  options: Parameters<ProofCase["run"]>[0],
): Promise<Outcome | undefined> {
  const begun = performance.now();
  try {
    const outcome = await run(options);
    report(`${name} ${options.seed}`, outcome, performance.now() - begun);
    return outcome;
  } catch (error) {
    if (error instanceof NotRun) {
      say(`not run: ${name}: ${error.message}`);
    } else {
      failed += 1;
      const text = error instanceof Error ? error.stack : String(error);
      say(`${name} ${options.seed} FAILED: ${text}`);
    }
    return undefined;
  }
}

/** Servers wait more than they work: so many cases at a time. */
const LANES = 3;

async function runShare(share: number): Promise<void> {
  const left = [...chosen];
  const lane = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const units = Math.max(1, Math.round(next.fullUnits * share));
      await attempt(next, { seed: 1, units, isFull: false });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function runAll(): Promise<void> {
  const results = new ResultsFile();
  for (const proofCase of chosen) {
    const { name, fullUnits, unitsPerRun: units } = proofCase;
    const runs = Math.ceil(fullUnits / units);
    const subject = await proofCase.subject?.();
    for (let seed = 1; seed <= runs; seed += 1) {
      if (results.holds(name, seed, subject)) continue;
      const begun = performance.now();
      const outcome = await attempt(proofCase, { seed, units, isFull: true });
      if (!outcome) continue;
      const seconds = Math.round((performance.now() - begun) / 1000);
      results.add({
        ...{ case: name, seed, units, seconds },
        ...(subject !== undefined && { subject }),
        ...outcome,
      });
    }
  }
}

if (values.share === undefined) await runAll();
else await runShare(Number(values.share));
say(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed + failed === 0 ? 1 : 0);
