import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../../core/json.ts";
import { escapeHtml } from "../../../util/html.ts";

export const idOfSchema = (name: string): string =>
  `object-${escapeHtml(name)}`;

/** A text with what stands between backticks as code. */
export const textOf = (text: JsonValue | undefined): string =>
  typeof text === "string"
    ? escapeHtml(text).replaceAll(/`([^`]*)`/g, "<code>$1</code>")
    : "";

/** A schema in words, its members as a list. */
export function renderSchema(schema: JsonObject): string {
  const said = [textOf(schema["description"]), factsOf(schema)].filter(
    (text) => text !== "",
  );
  const aside =
    said.length > 0 ? ` <span class="facts">${said.join(" ")}</span>` : "";
  return `${typeOf(schema)}${aside}${membersOf(schema)}`;
}

function typeOf(schema: JsonObject): string {
  const { $ref, anyOf, type, items, properties } = schema;
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return `<a href="#${idOfSchema(name)}">${escapeHtml(name)}</a>`;
  }
  if (Array.isArray(anyOf))
    return anyOf.filter(isJsonObject).map(typeOf).join(" or ");
  if ("const" in schema) return code(schema["const"]);
  if (Array.isArray(schema["enum"]))
    return schema["enum"].map(code).join(" or ");
  if (isJsonObject(items)) return `list of ${renderSchema(items)}`;
  if (properties !== undefined) return orNull("object", type);
  const words = Array.isArray(type) ? type : [type];
  return words
    .map((word) => escapeHtml(String(word ?? "anything")))
    .join(" or ");
}

const orNull = (word: string, type: JsonValue | undefined): string =>
  Array.isArray(type) && type.includes("null") ? `${word} or null` : word;

const code = (value: JsonValue | undefined): string =>
  `<code>${escapeHtml(typeof value === "string" ? value || '""' : JSON.stringify(value))}</code>`;

const WORDS: Readonly<Record<string, string>> = {
  minimum: "at least",
  maximum: "at most",
  minLength: "characters at least",
  maxLength: "characters at most",
  minItems: "entries at least",
  maxItems: "entries at most",
  maxProperties: "members at most",
  pattern: "as",
  default: "unless told",
};

const factsOf = (schema: JsonObject): string =>
  Object.entries(WORDS)
    .flatMap(([name, words]) =>
      schema[name] === undefined ? [] : [`${words} ${code(schema[name])}`],
    )
    .join(", ");

function membersOf(schema: JsonObject): string {
  const { properties, required, additionalProperties } = schema;
  const isRequired = (name: string) =>
    Array.isArray(required) && required.includes(name);
  const members = isJsonObject(properties)
    ? Object.entries(properties).map(
        ([name, member]) =>
          `<li><code>${escapeHtml(name)}</code>${isRequired(name) ? "" : "?"} ${isJsonObject(member) ? renderSchema(member) : ""}</li>`,
      )
    : [];
  const others = isJsonObject(additionalProperties)
    ? [`<li>any name: ${renderSchema(additionalProperties)}</li>`]
    : [];
  const all = [...members, ...others];
  return all.length > 0 ? `<ul>${all.join("")}</ul>` : "";
}
