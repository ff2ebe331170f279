/** Any JSON value, as the bounded reader yields it: objects have no prototype. */
export type JsonValue =
  null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}
