import { MatrixError } from "../../../core/errors.ts";
import { isJsonObject, type JsonValue } from "../../../core/json.ts";
import { readJson } from "../../../core/json-reader.ts";
import { CsvFault, readCsv } from "../../../util/csv.ts";
import {
  COLUMNS,
  isColumn,
  type AccountLine,
  type Column,
  type LineFault,
} from "./account-line.ts";

export interface ReadList {
  lines: AccountLine[];
  faults: LineFault[];
}

const MOST_LINES = 10_000;
/** With empty ones. */
const MOST_TEXT_LINES = 100_000;

/** Reads accounts from CSV with a line of names, or from lines of JSON objects. */
export function readList(bytes: Uint8Array): ReadList {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refused(1, "The list must be UTF-8.");
  }
  const list = text.trimStart().startsWith("{") ? ofJson(text) : ofCsv(text);
  const isEmpty = list.lines.length === 0 && list.faults.length === 0;
  return isEmpty ? refused(1, "The list holds no account.") : list;
}

const refused = (line: number, error: string): ReadList => ({
  lines: [],
  faults: [{ line, errcode: "M_INVALID_PARAM", error }],
});

function ofCsv(text: string): ReadList {
  let records;
  try {
    // With the names of the columns.
    records = readCsv(text, MOST_LINES + 1);
  } catch (error) {
    if (error instanceof CsvFault) return refused(error.line, error.message);
    throw error;
  }
  const [head, ...rest] = records;
  if (!head) return { lines: [], faults: [] };
  const names = head.fields.map((field) => field.trim().toLowerCase());
  const fault = faultOfHead(names);
  if (fault) return refused(head.line, fault);
  const list: ReadList = { lines: [], faults: [] };
  for (const { line, fields } of rest) {
    if (fields.length !== names.length) {
      const error = `The line has ${fields.length} fields, and the first one names ${names.length}.`;
      list.faults.push({ line, errcode: "M_INVALID_PARAM", error });
      continue;
    }
    // An empty field says nothing.
    const said = fields.flatMap((field, i) =>
      field === "" ? [] : [[names[i] as Column, field] as const],
    );
    list.lines.push(lineOf(line, new Map(said)));
  }
  return list;
}

function faultOfHead(names: readonly string[]): string | undefined {
  const unknown = names.find((name) => !isColumn(name));
  if (unknown !== undefined)
    return `The first line must name columns of ${COLUMNS.join(", ")}: it names ${JSON.stringify(unknown.slice(0, 64))}. Roles are granted, and not imported.`;
  if (new Set(names).size < names.length)
    return "The first line names a column twice.";
  return names.includes("localpart")
    ? undefined
    : "The first line must name the column localpart.";
}

const LIMITS = { maxBytes: 64 * 1024, maxDepth: 3, maxKeys: 200 };

function ofJson(text: string): ReadList {
  const list: ReadList = { lines: [], faults: [] };
  const sources = text.split("\n", MOST_TEXT_LINES);
  for (const [i, source] of sources.entries()) {
    if (source.trim() === "") continue;
    const line = i + 1;
    if (list.lines.length + list.faults.length >= MOST_LINES)
      return refused(line, `There are more than ${MOST_LINES} accounts.`);
    const said = new Map<Column, string>();
    const fault = readObject(source, said);
    if (fault === undefined) list.lines.push(lineOf(line, said));
    else list.faults.push({ line, errcode: "M_BAD_JSON", ...fault });
  }
  return sources.length < MOST_TEXT_LINES
    ? list
    : refused(MOST_TEXT_LINES, "The list has too many lines.");
}

type ObjectFault = Pick<LineFault, "column" | "error">;

/** Fills in what an object says; a list of groups becomes one text. */
function readObject(
  source: string,
  said: Map<Column, string>,
): ObjectFault | undefined {
  let value: JsonValue;
  try {
    value = readJson(source, LIMITS);
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    return { error: error.message };
  }
  if (!isJsonObject(value))
    return { error: "Each line must be a JSON object." };
  for (const [column, member] of Object.entries(value)) {
    if (!isColumn(column))
      return {
        error: `An account has the members ${COLUMNS.join(", ")}. Roles are granted, and not imported.`,
      };
    if (member === null || member === "") continue;
    const text = textOf(column, member);
    if (text === undefined)
      return { column, error: `"${column}" is not what it must be.` };
    said.set(column, text);
  }
  return undefined;
}

function textOf(column: Column, value: JsonValue): string | undefined {
  if (typeof value === "string") return value;
  const isList =
    column === "groups" &&
    Array.isArray(value) &&
    value.every((name) => typeof name === "string" && !name.includes(";"));
  return isList ? value.join(";") : undefined;
}

function lineOf(line: number, said: ReadonlyMap<Column, string>): AccountLine {
  const displayName = said.get("displayname");
  const email = said.get("email");
  const password = said.get("password");
  const names = (said.get("groups") ?? "").split(";").map((g) => g.trim());
  return {
    line,
    localpart: said.get("localpart") ?? "",
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
    ...(password !== undefined && { password }),
    groups: [...new Set(names.filter((name) => name !== ""))],
  };
}
