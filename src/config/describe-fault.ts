import type { ErrorObject } from "ajv";
import type { Fault } from "./fault.ts";
import { formats } from "./formats.ts";
import type { Setting } from "./leaves.ts";

/** Says in words what the validator found; secrets' values are never told.
 * One fault a path: a wrong type is not also a wrong choice. */
export function describeFaults(
  errors: readonly ErrorObject[],
  settings: readonly Setting[],
): Fault[] {
  const secrets = new Set(
    settings.filter((s) => s.leaf.secret).map((s) => s.path.join(".")),
  );
  const described = errors
    .filter(({ keyword }) => keyword !== "if")
    .map((error) => describe(error, secrets));
  const first = new Map(described.toReversed().map((f) => [f.path, f]));
  return described.filter((fault) => first.get(fault.path) === fault);
}

function describe(error: ErrorObject, secrets: ReadonlySet<string>): Fault {
  const path = error.instancePath.slice(1).replaceAll("/", ".");
  if (error.keyword === "additionalProperties") return unknownKey(path, error);
  if (error.keyword === "dependencies") return missingPartner(path, error);
  const found = secrets.has(path)
    ? ""
    : `, found ${JSON.stringify(error.data)}`;
  return { path, problem: `expected ${expected(error)}${found}.` };
}

function unknownKey(path: string, error: ErrorObject): Fault {
  const known = Object.keys(
    (error.parentSchema?.["properties"] ?? {}) as object,
  );
  const name = String(error.params["additionalProperty"]);
  return {
    path: join(path, name),
    problem: `is not a known setting; expected one of ${known.join(", ")}.`,
  };
}

function missingPartner(path: string, error: ErrorObject): Fault {
  const { missingProperty, property } = error.params as Record<string, string>;
  return {
    path: join(path, missingProperty ?? ""),
    problem: `is expected too, because ${join(path, property ?? "")} is set.`,
  };
}

function expected({ keyword, params, parentSchema }: ErrorObject): string {
  switch (keyword) {
    case "type":
      return typeWords[String(params["type"])] ?? String(params["type"]);
    case "enum":
      return `one of ${(params["allowedValues"] as string[]).join(", ")}`;
    case "const":
      return `a whole number or ${String(params["allowedValue"])}`;
    case "minimum":
    case "maximum":
      return `a number from ${String(parentSchema?.["minimum"])} to ${String(parentSchema?.["maximum"])}`;
    case "minLength":
      return `a text of at least ${String(params["limit"])} characters`;
    case "format":
      return formats[String(params["format"])]?.expected ?? "another form";
    default:
      throw new TypeError(`The schema uses ${keyword}, which has no words.`);
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: "a text (numbers in quotes)",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a section with settings of its own",
};

const join = (path: string, name: string): string =>
  path === "" ? name : `${path}.${name}`;
