import type { SchemaObject } from "ajv";

type Members = Readonly<Record<string, SchemaObject>>;

export const TEXT: SchemaObject = { type: "string" };
export const INTEGER: SchemaObject = { type: "integer" };
export const COUNT: SchemaObject = { type: "integer", minimum: 0 };
export const BOOLEAN: SchemaObject = { type: "boolean" };
export const TIME: SchemaObject = {
  title: "Time",
  description: "In milliseconds since 1970.",
  type: "integer",
};
export const USER_ID: SchemaObject = {
  title: "UserId",
  description: "Such as `@alice:example.org`.",
  type: "string",
};
export const ROOM_ID: SchemaObject = {
  title: "RoomId",
  description: "Such as `!room:example.org`.",
  type: "string",
};
export const EVENT_ID: SchemaObject = {
  title: "EventId",
  description: "Such as `$event`.",
  type: "string",
};

/** An object with these members, and with those of `optional` where they are told. */
export const object = (
  required: Members,
  optional: Members = {},
): SchemaObject => ({
  type: "object",
  properties: { ...required, ...optional },
  required: Object.keys(required),
});

/** What an act answers that has nothing to tell. */
export const EMPTY = object({});

/** An object whose members others decide on. */
export const open = (description: string): SchemaObject => ({
  description,
  type: "object",
  additionalProperties: true,
});

/** Whatever others have stored. */
export const ANYTHING: SchemaObject = {
  description: "Any JSON.",
  type: ["object", "array", "string", "number", "boolean", "null"],
  additionalProperties: true,
  items: {},
};

/** The same under a name of its own in the document. */
export const named = (title: string, schema: SchemaObject): SchemaObject => ({
  title,
  ...schema,
});

export const arrayOf = (items: SchemaObject): SchemaObject => ({
  type: "array",
  items,
});

/** An object of any names, each with such a value. */
export const mapOf = (value: SchemaObject): SchemaObject => ({
  type: "object",
  additionalProperties: value,
});

export const oneOf = (words: readonly string[]): SchemaObject => ({
  type: "string",
  enum: [...words],
});

/** Words that are kept as they are: neither U+0000 nor half of a pair can be. */
export const keptText = (maxLength: number): SchemaObject => ({
  ...{ type: "string", minLength: 1, maxLength },
  pattern: "^[^\\u0000\\ud800-\\udfff]*$",
});

/** The same, or null where there is none. */
export const orNull = (schema: SchemaObject): SchemaObject =>
  "title" in schema || "enum" in schema
    ? { anyOf: [schema, { type: "null" }] }
    : { ...schema, type: [schema["type"] as string, "null"] };

/** An event as clients get it. */
export const EVENT = named(
  "Event",
  open("As the client-server API has it: `type`, `content`, `sender`, …"),
);
