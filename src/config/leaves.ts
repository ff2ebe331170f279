import type { Leaf, Section } from "./schema-types.ts";

/** A leaf of the schema with where it stands. */
export interface Setting {
  readonly path: readonly string[];
  /** The environment variable that also sets it. */
  readonly variable: string;
  readonly leaf: Leaf;
}

/** Every setting of a section, in the schema's order. */
export function listSettings(
  section: Section,
  parents: readonly string[] = [],
): Setting[] {
  return Object.entries(section.properties).flatMap(([name, inner]) => {
    const path = [...parents, name];
    return inner.type === "object"
      ? listSettings(inner, path)
      : [{ path, variable: variableOf(path), leaf: inner }];
  });
}

export const variableOf = (path: readonly string[]): string =>
  `MYELIN_${path.join("_").toUpperCase()}`;
