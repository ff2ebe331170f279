/** As prettier would write it. */
export function renderMarkdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(3, ...all.map((row) => [...(row[column] ?? "")].length)),
  );
  const render = (cells: readonly string[], filler = " ") =>
    `| ${widths.map((width, i) => padEnd(cells[i] ?? "", width, filler)).join(" | ")} |`;
  const rule = render([], "-");
  return [render(header), rule, ...rows.map((row) => render(row))].join("\n");
}

const padEnd = (cell: string, width: number, filler: string) =>
  cell + filler.repeat(width - [...cell].length);
