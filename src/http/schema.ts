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

/** Throws at boot for a schema that is no schema. */
export function compileSchema(schema: SchemaObject): ValidateFunction {
  return ajv.compile(schema);
}

/** Throws `M_MISSING_PARAM` for an absent top-level key, else `invalid`. */
export function assertValid(
  validate: ValidateFunction,
  value: unknown,
  invalid: Errcode,
): void {
  if (validate(value)) return;
  const error = validate.errors?.[0];
  if (error?.keyword === "required" && error.instancePath === "") {
    const name = String(error.params["missingProperty"]);
    throw new MatrixError("M_MISSING_PARAM", `"${name}" is missing.`);
  }
  throw new MatrixError(invalid, describe(error));
}

/** Where and what, never the value: it may be a password. */
function describe(error: ErrorObject | undefined): string {
  const place = error?.instancePath.slice(1).replaceAll("/", ".") ?? "";
  const what = error?.message ?? "is not valid";
  return place === "" ? `The value ${what}.` : `"${place}" ${what}.`;
}
