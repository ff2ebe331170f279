// npm run bench:document -- SUITE.json: writes docs/performance.md and docs/figures from it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { renderDrawings, writeSections } from "./report/document.ts";
import type { SuiteReport } from "./report/readings.ts";

const DOCUMENT = "docs/performance.md";
const FIGURES = "docs/figures";

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("npm run bench:document -- SUITE.json\n");
  process.exit(2);
}
const suite = JSON.parse(readFileSync(file, "utf8")) as SuiteReport;
const document = readFileSync(DOCUMENT, "utf8");
writeFileSync(DOCUMENT, writeSections(document, suite));
mkdirSync(FIGURES, { recursive: true });
for (const [name, drawing] of renderDrawings(suite))
  writeFileSync(`${FIGURES}/${name}`, drawing);
