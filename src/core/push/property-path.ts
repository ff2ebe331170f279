import type { JsonObject, JsonValue } from "../json.ts";

/**
 * Splits a dot-separated property path. A backslash escapes a dot or a
 * backslash; "other escape sequences are left as-is".
 */
export function parsePropertyPath(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (let index = 0; index < path.length; index++) {
    const char = path.charAt(index);
    const next = path.charAt(index + 1);
    if (char === "\\" && (next === "." || next === "\\")) {
      name += next;
      index++;
    } else if (char === ".") {
      names.push(name);
      name = "";
    } else {
      name += char;
    }
  }
  names.push(name);
  return names;
}

/** What a dot-separated path leads to; undefined where it is completely absent. */
export function findProperty(
  object: JsonObject,
  path: string,
): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const name of parsePropertyPath(path)) {
    if (
      value === null ||
      typeof value !== "object" ||
      Array.isArray(value) ||
      !Object.hasOwn(value, name)
    ) {
      return undefined;
    }
    value = value[name];
  }
  return value;
}
