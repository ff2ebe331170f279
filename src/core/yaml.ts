import type { JsonValue } from "./json.ts";

/** A value of JSON as YAML in blocks; texts stand in double quotes, as in JSON. */
export const yamlOf = (value: JsonValue): string =>
  `${linesOf(value).join("\n")}\n`;

function linesOf(value: JsonValue): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return ["[]"];
    return value.flatMap((item) => {
      const [first = "", ...rest] = linesOf(item);
      return [`- ${first}`, ...rest.map((line) => `  ${line}`)];
    });
  }
  if (typeof value !== "object" || value === null)
    return [JSON.stringify(value)];
  const members = Object.entries(value);
  if (members.length === 0) return ["{}"];
  return members.flatMap(([name, member]) => {
    const lines = linesOf(member);
    const key = `${keyOf(name)}:`;
    return isBlock(member)
      ? [key, ...lines.map((line) => `  ${line}`)]
      : [`${key} ${lines[0] ?? ""}`];
  });
}

/** Names that are no number, no word of YAML's own and no sign of it. */
const PLAIN = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z$/][\w$/{}.-]*$/i;

const keyOf = (name: string): string =>
  PLAIN.test(name) ? name : JSON.stringify(name);

const isBlock = (value: JsonValue): boolean =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;
