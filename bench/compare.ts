// npm run bench:compare -- A.json B.json
import { readFileSync } from "node:fs";
import { describeBoth, pairUp, renderComparison } from "./report/compare.ts";
import type { Report } from "./report/report.ts";

const [fileA, fileB] = process.argv.slice(2);
if (fileA === undefined || fileB === undefined) {
  process.stderr.write("npm run bench:compare -- A.json B.json\n");
  process.exit(2);
}

const read = (file: string) => JSON.parse(readFileSync(file, "utf8")) as Report;
const a = read(fileA);
const b = read(fileB);
const pairs = pairUp(a.measurements, b.measurements);
process.stdout.write(
  `${describeBoth(a, b)}\n\n${renderComparison(["A", "B"], pairs)}\n`,
);
