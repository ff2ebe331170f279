import type { SchemaObject } from "ajv";
import { MatrixError } from "../core/errors.ts";
import { assertValid, compileSchema } from "./schema.ts";

type Kind = "string" | "integer" | "boolean" | "array";
const KINDS: readonly string[] = ["string", "integer", "boolean", "array"];

export type ParseQuery = (query: string) => Record<string, unknown>;

/**
 * Compiles the schema of a query string. Types are taken strictly: integers are
 * decimal digits, booleans `true` or `false`, and only an array may repeat.
 */
export function compileQuery(schema: SchemaObject): ParseQuery {
  const properties = Object.entries<SchemaObject>(schema["properties"] ?? {});
  const kinds = new Map(properties.map(([name, p]) => [name, kindOf(name, p)]));
  const findFault = compileSchema(schema);
  return (query) => {
    const values: Record<string, unknown> = Object.create(null);
    for (const [name, text] of pairsOf(query)) {
      const kind = kinds.get(name);
      if (kind === "array") {
        const list = (values[name] ??= []) as string[];
        list.push(text);
      } else if (kind !== undefined) {
        if (name in values) throw invalid(name, "is given more than once");
        values[name] = coerce(name, kind, text);
      }
    }
    assertValid(findFault, values, "M_INVALID_PARAM");
    return values;
  };
}

/** The pairs of a query string, decoded once. */
export function pairsOf(query: string): [name: string, value: string][] {
  return query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      if (at === -1) return [decode(pair), ""];
      return [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    });
}

function kindOf(name: string, property: SchemaObject): Kind {
  const type: unknown = property["type"];
  if (typeof type === "string" && KINDS.includes(type)) return type as Kind;
  throw new TypeError(`The query parameter ${name} needs one plain type.`);
}

function coerce(name: string, kind: Kind, text: string): unknown {
  if (kind === "integer") {
    const number = /^-?[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(number)) return number;
    throw invalid(name, "must be an integer");
  }
  if (kind === "boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw invalid(name, "must be true or false");
  }
  return text;
}

function decode(text: string): string {
  let value: string;
  try {
    value = decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "The query holds a broken percent-encoding.",
    );
  }
  if (!value.includes("\0")) return value;
  throw new MatrixError("M_INVALID_PARAM", "The query holds a NUL character.");
}

const invalid = (name: string, what: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", `The query parameter "${name}" ${what}.`);
