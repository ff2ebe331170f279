import type { JsonObject, JsonValue } from "../core/json.ts";

/** What of each row stands in a column, under which head. */
export type Column = readonly [head: string, name: string, form?: "time"];

/** What a terminal would obey. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

export function cellOf(value: JsonValue | undefined, form?: "time"): string {
  if (value === undefined || value === null) return "";
  if (form === "time" && typeof value === "number")
    return new Date(value).toISOString().slice(0, 19).replace("T", " ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replace(CONTROLS, "\ufffd");
}

/** Rows below heads, each column as wide as its widest cell. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly JsonObject[],
): string {
  const cells = [
    columns.map(([head]) => head),
    ...rows.map((row) =>
      columns.map(([, name, form]) => cellOf(partOf(row, name), form)),
    ),
  ];
  const widths = columns.map((_, i) =>
    Math.max(...cells.map((line) => line[i]!.length)),
  );
  return cells
    .map((line) => line.map((cell, i) => cell.padEnd(widths[i]!)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Each member of an object in a line of its own. */
export function renderFacts(facts: JsonObject): string {
  const names = Object.keys(facts);
  const width = Math.max(0, ...names.map((name) => name.length));
  return names
    .map((name) => {
      const form = name.endsWith("_ts") ? "time" : undefined;
      const text = cellOf(facts[name], form);
      return `${name.replace(CONTROLS, "\ufffd").padEnd(width)}  ${text}`;
    })
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** `actor.user_id` is a member of a member. */
function partOf(row: JsonObject, name: string): JsonValue | undefined {
  let part: JsonValue | undefined = row;
  for (const key of name.split(".")) {
    if (typeof part !== "object" || part === null || Array.isArray(part))
      return undefined;
    part = part[key];
  }
  return part;
}
