import { Secret } from "../util/secret.ts";
import type { Leaf, Section } from "./schema-types.ts";

/** A checked tree with our names, its secrets wrapped, frozen all through. */
export function finishSection(
  section: Section,
  values: Readonly<Record<string, unknown>>,
): object {
  const entries = Object.entries(section.properties).map(([name, inner]) => [
    camelCase(name),
    finishValue(inner, values[name]),
  ]);
  return Object.freeze(Object.fromEntries(entries));
}

function finishValue(inner: Leaf | Section, value: unknown): unknown {
  if (inner.type === "object")
    return finishSection(inner, value as Record<string, unknown>);
  if (inner.secret && value !== undefined) return new Secret(value as string);
  return Array.isArray(value) ? Object.freeze([...value]) : value;
}

const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
