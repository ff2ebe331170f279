import { Ajv, type SchemaObject } from "ajv";
import { formats } from "./formats.ts";
import type { Leaf, Section } from "./schema-types.ts";

function leafSchema(leaf: Leaf): SchemaObject {
  if (leaf.orWord === undefined) return leaf;
  const { description, orWord, default: otherwise, ...number } = leaf;
  return {
    description,
    default: otherwise,
    if: { type: "string" },
    then: { const: orWord },
    else: number,
  };
}

export function sectionSchema(section: Section): SchemaObject {
  const properties = Object.entries(section.properties).map(([name, inner]) => [
    name,
    inner.type === "object"
      ? { ...sectionSchema(inner), default: {} }
      : leafSchema(inner),
  ]);
  return {
    type: "object",
    description: section.description,
    additionalProperties: false,
    properties: Object.fromEntries(properties),
    ...(section.dependentRequired && {
      dependencies: section.dependentRequired,
    }),
  };
}

/** Compiles a section; the validator fills in defaults and finds every fault. */
export function compileSection(section: Section) {
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    verbose: true,
    // It runs once; to check the schema too, which a spec does, and to polish the code
    // takes each process 5 MB and a tenth of a second.
    meta: false,
    validateSchema: false,
    code: { optimize: false },
  });
  ajv.addVocabulary(["secret", "example"]);
  for (const [name, { accepts }] of Object.entries(formats))
    ajv.addFormat(name, accepts);
  return ajv.compile(sectionSchema(section));
}
