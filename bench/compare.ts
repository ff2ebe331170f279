// npm run bench:compare -- A.json B.json
import { readFileSync } from "node:fs";
import { describeBoth, pairUp, renderComparison } from "./report/compare.ts";
import type { Report } from "./report/report.ts";

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

function read(file: string | undefined): Report {
  if (file === undefined) fail("npm run bench:compare -- A.json B.json");
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return fail(`${file} is no report of npm run bench.`);
  }
}

const [fileA, fileB] = process.argv.slice(2);
const a = read(fileA);
const b = read(fileB);
const pairs = pairUp(a.measurements, b.measurements);
process.stdout.write(
  `${describeBoth(a, b)}\n\n${renderComparison(["A", "B"], pairs)}\n`,
);
