import type { SchemaObject } from "ajv";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../../core/json.ts";

export interface Schemas {
  /** A schema as it stands in the document: what has a name is referred to. */
  write(schema: SchemaObject): JsonObject;
  /** All that have a name, by it. */
  all(): JsonObject;
}

const PLACE = "#/components/schemas/";

/** Puts schemas with a title, and what recursive ones define, in a place that all share. */
export function collectSchemas(): Schemas {
  const found = new Map<string, { text: string; written: JsonObject }>();

  function keep(name: string, schema: JsonObject): void {
    const text = JSON.stringify(schema);
    const known = found.get(name);
    if (known && known.text !== text)
      throw new TypeError(`There are two schemas called ${name}.`);
    if (known) return;
    // Known before it is written: it may refer to itself.
    found.set(name, { text, written: {} });
    found.set(name, { text, written: writeMembers(schema) });
  }

  function writeObject(schema: JsonObject): JsonObject {
    const { title, definitions, ...rest } = schema;
    if (isJsonObject(definitions))
      for (const [name, each] of Object.entries(definitions))
        if (isJsonObject(each)) keep(name, each);
    if (typeof title !== "string")
      return writeMembers(title === undefined ? rest : { title, ...rest });
    keep(title, rest);
    return { $ref: PLACE + title };
  }

  const writeMembers = (schema: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(schema).map(([name, value]) => [
        name,
        name === "$ref" && typeof value === "string"
          ? value.replace("#/definitions/", PLACE)
          : writeValue(value),
      ]),
    );

  function writeValue(value: JsonValue): JsonValue {
    if (Array.isArray(value)) return value.map(writeValue);
    return isJsonObject(value) ? writeObject(value) : value;
  }

  return {
    write: (schema) => writeObject(schema as JsonObject),
    all: () =>
      Object.fromEntries(
        [...found.keys()]
          .sort()
          .map((name) => [name, found.get(name)!.written]),
      ),
  };
}
