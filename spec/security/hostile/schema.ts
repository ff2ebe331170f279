/** The keywords that the schemas of requests use, ours and the specification's. */
export interface Schema {
  type?: string | readonly string[];
  nullable?: boolean;
  enum?: readonly unknown[];
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
  minimum?: number;
  allOf?: readonly Schema[];
}

/** One schema where the specification has it in parts. */
export function flatten(schema: Schema): Schema {
  const parts = (schema.allOf ?? []).map(flatten);
  const properties = Object.assign(
    {},
    ...[...parts, schema].map((part) => part.properties ?? {}),
  ) as Record<string, Schema>;
  return {
    ...Object.assign({}, ...parts),
    ...schema,
    ...(Object.keys(properties).length > 0 && { properties }),
  } as Schema;
}

export function typesOf({ type, nullable }: Schema): readonly string[] {
  const types = type === undefined ? [] : [type].flat();
  return nullable === true ? [...types, "null"] : types;
}

const MAX_SAMPLE_DEPTH = 3;

/** Some value of the schema, for a member that a valid request leaves out. */
export function sampleOf(schema: Schema, depth = 0): unknown {
  const flat = flatten(schema);
  if (flat.enum) return flat.enum[0];
  const isDeep = depth >= MAX_SAMPLE_DEPTH;
  switch (typesOf(flat)[0]) {
    case "string":
      return "x";
    case "integer":
    case "number":
      return flat.minimum ?? 1;
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return flat.items && !isDeep ? [sampleOf(flat.items, depth + 1)] : [];
    default:
      return isDeep ? {} : sampleObject(flat, depth);
  }
}

function sampleObject(schema: Schema, depth: number): object {
  const { properties = {}, additionalProperties: more } = schema;
  const members = Object.entries(properties).map(([name, inner]) => [
    name,
    sampleOf(inner, depth + 1),
  ]);
  if (typeof more === "object" && Object.keys(more).length > 0)
    members.push(["@x:test", sampleOf(more, depth + 1)]);
  return Object.fromEntries(members) as object;
}

/** The schema that a value has by itself, where a request's own takes anything. */
export function schemaOf(value: unknown): Schema {
  if (Array.isArray(value))
    return { type: "array", items: schemaOf(value[0] ?? "x") };
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([name, inner]) => [
      name,
      schemaOf(inner),
    ]);
    return {
      type: "object",
      properties: Object.fromEntries(members) as Record<string, Schema>,
    };
  }
  return { type: value === null ? "null" : typeof value };
}
