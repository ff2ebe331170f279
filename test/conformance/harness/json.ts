// Reading answers whose shape is not trusted: a missing or wrong value is an answer to judge, not a crash.

export type JsonObject = { [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path of keys and indices, undefined where the path breaks off. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key))
      return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}

function wrong(what: string, value: unknown, path: (string | number)[]) {
  const shown = JSON.stringify(value)?.slice(0, 600);
  return new Error(`expected ${what} at ${path.join(".") || "."} in ${shown}`);
}

/** The string at a path; throws when there is none. */
export function text(value: unknown, ...path: (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== "string") throw wrong("a string", value, path);
  return found;
}

/** The object at a path; throws when there is none. */
export function object(
  value: unknown,
  ...path: (string | number)[]
): JsonObject {
  const found = at(value, ...path);
  if (!isObject(found)) throw wrong("an object", value, path);
  return found;
}

/** The objects of an array at a path; empty where the path breaks off, throws when something else is there. */
export function list(
  value: unknown,
  ...path: (string | number)[]
): JsonObject[] {
  const found = at(value, ...path);
  if (found === undefined) return [];
  if (!Array.isArray(found) || !found.every(isObject))
    throw wrong("a list of objects", value, path);
  return found;
}

/** The strings of an array at a path; throws when something else is there. */
export function strings(
  value: unknown,
  ...path: (string | number)[]
): string[] {
  const found = at(value, ...path);
  const isText = (item: unknown): item is string => typeof item === "string";
  if (!Array.isArray(found) || !found.every(isText))
    throw wrong("a list of strings", value, path);
  return found;
}
