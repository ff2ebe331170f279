import { DRAWINGS } from "./charts.ts";
import { BARS_HEAD, barRows } from "./judge.ts";
import { renderMarkdownTable } from "./markdown-table.ts";
import type { SuiteReport } from "./readings.ts";
import { renderChart } from "./svg-chart.ts";

/** The pictures by their file's name; none of what was not measured. */
export function renderDrawings(suite: SuiteReport): Map<string, string> {
  const drawn = new Map<string, string>();
  for (const { file, draw } of DRAWINGS) {
    const chart = draw(suite);
    if (chart.series.length > 0) drawn.set(file, renderChart(chart));
  }
  return drawn;
}

/** The document with its marked sections written anew. */
export function writeSections(document: string, suite: SuiteReport): string {
  const drawn = renderDrawings(suite);
  const pictures = DRAWINGS.filter(({ file }) => drawn.has(file))
    .map(({ file, alt }) => `![${alt}](figures/${file})`)
    .join("\n\n");
  const table = renderMarkdownTable(BARS_HEAD, barRows(suite));
  return replaceSection(
    replaceSection(document, "bars", table),
    "curves",
    pictures,
  );
}

function replaceSection(
  document: string,
  name: string,
  content: string,
): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from === -1 || to === -1)
    throw new Error(`the document has no section ${begin} … ${end}`);
  const before = document.slice(0, from + begin.length);
  return `${before}\n\n${content}\n\n${document.slice(to)}`;
}
