import { emptyJsonObject, isJsonObject, type JsonObject } from "./json.ts";
import { parsePropertyPath } from "./push/property-path.ts";

/** The event cut down to the dotted paths of a filter's `event_fields`. */
export function selectEventFields(
  event: JsonObject,
  fields: readonly string[],
): JsonObject {
  const selected = emptyJsonObject();
  for (const field of fields) {
    copyPath(event, selected, parsePropertyPath(field));
  }
  return selected;
}

function copyPath(
  source: JsonObject,
  target: JsonObject,
  path: readonly string[],
): void {
  let from = source;
  let to = target;
  for (const [index, name] of path.entries()) {
    if (!Object.hasOwn(from, name)) return;
    const value = from[name]!;
    if (index === path.length - 1) {
      to[name] = value;
      return;
    }
    if (!isJsonObject(value)) return;
    const chosen = Object.hasOwn(to, name) ? to[name] : undefined;
    // A shorter path has already chosen the whole.
    if (chosen === value) return;
    const next = isJsonObject(chosen) ? chosen : emptyJsonObject();
    if (next !== chosen && hasPath(value, path.slice(index + 1))) {
      to[name] = next;
    }
    from = value;
    to = next;
  }
}

function hasPath(source: JsonObject, path: readonly string[]): boolean {
  let value: JsonObject[string] | undefined = source;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return false;
    value = value[name];
  }
  return true;
}
