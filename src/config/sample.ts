import { stringify } from "yaml";
import { variableOf } from "./leaves.ts";
import { configSchema } from "./schema.ts";
import type { Leaf, Section } from "./schema-types.ts";

/** The text of config.sample.yaml: every setting with its meaning and default. */
export function renderSample(): string {
  const { description } = configSchema;
  return [
    ...comment(description, ""),
    "",
    ...renderSection(configSchema, []),
  ].join("\n");
}

function renderSection(section: Section, path: readonly string[]): string[] {
  const indent = "  ".repeat(path.length);
  return Object.entries(section.properties).flatMap(([name, inner]) => {
    const here = [...path, name];
    if (inner.type !== "object") return [...renderLeaf(inner, here), ""];
    const off = hasDefault(inner) ? "" : "# ";
    return [
      ...comment(inner.description, indent),
      `${indent}${off}${name}:`,
      ...renderSection(inner, here),
    ];
  });
}

function renderLeaf(leaf: Leaf, path: readonly string[]): string[] {
  const indent = "  ".repeat(path.length - 1);
  const line = stringify(
    { [path.at(-1) ?? ""]: leaf.default ?? leaf.example },
    { collectionStyle: "block", lineWidth: 0 },
  );
  const off = leaf.default === undefined ? "# " : "";
  return [
    ...comment(leaf.description, indent),
    ...comment(`${allowed(leaf)}${variableOf(path)}`, indent),
    ...line
      .trim()
      // The block style knows no empty list.
      .replace(/:\s+\[\]$/, ": []")
      .split("\n")
      .map((text) => `${indent}${off}${text}`),
  ];
}

function allowed(leaf: Leaf): string {
  if (leaf.enum) return `${leaf.enum.join(" | ")} · `;
  if (leaf.type === "boolean") return "true | false · ";
  if (leaf.minimum === undefined) return "";
  const word = leaf.orWord === undefined ? "" : `${leaf.orWord} | `;
  return `${word}${leaf.minimum} to ${leaf.maximum} · `;
}

const hasDefault = (section: Section): boolean =>
  Object.values(section.properties).some((inner) =>
    inner.type === "object" ? hasDefault(inner) : inner.default !== undefined,
  );

/** Comment lines of at most 80 columns. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > 80 && !line.endsWith("#")) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
