/** Any JSON value, as the bounded reader yields it: objects have no prototype. */
export type JsonValue =
  null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

export const isJsonObject = (
  value: JsonValue | undefined,
): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An empty object without prototype, in which any key is an ordinary key. */
export const emptyJsonObject = (): JsonObject =>
  Object.create(null) as JsonObject;
