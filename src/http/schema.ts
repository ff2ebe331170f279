import { Ajv } from "ajv";
import type { ErrorObject, SchemaObject, ValidateFunction } from "ajv";
import type { Errcode } from "../core/errors.ts";
import { MatrixError } from "../core/errors.ts";

const ajv = new Ajv({
  strict: true,
  allowUnionTypes: true,
  // `anyOf` of `required` names keys that its parent describes.
  strictRequired: false,
});

/** The first fault of a value; undefined where it has none. */
export type FindFault = (value: unknown) => ErrorObject | undefined;

/**
 * Throws at boot for a schema that is no schema. What checks values by it is made when
 * the first one comes: most processes see few of the endpoints.
 */
export function compileSchema(schema: SchemaObject): FindFault {
  void ajv.validateSchema(schema, true);
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= ajv.compile(schema);
    return validate(value) ? undefined : validate.errors?.[0];
  };
}

/** Throws `M_MISSING_PARAM` for an absent top-level key, else `invalid`. */
export function assertValid(
  findFault: FindFault,
  value: unknown,
  invalid: Errcode,
): void {
  const error = findFault(value);
  if (!error) return;
  if (error.keyword === "required" && error.instancePath === "") {
    const name = String(error.params["missingProperty"]);
    throw new MatrixError("M_MISSING_PARAM", `"${name}" is missing.`);
  }
  throw new MatrixError(invalid, describe(error));
}

/** Where and what, never the value: it may be a password. */
function describe({ instancePath, message }: ErrorObject): string {
  const place = instancePath.slice(1).replaceAll("/", ".");
  const what = message ?? "is not valid";
  return place === "" ? `The value ${what}.` : `"${place}" ${what}.`;
}
