import { MatrixError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";

/** The Common Namespaced Identifier Grammar; `displayname` and `avatar_url` follow it too. */
const NAME = /^[a-z][a-z0-9_.-]*$/;
const MAX_NAME_BYTES = 255;
/** They stand in every member event. */
const MAX_CHARACTERS: Readonly<Record<string, number>> = {
  displayname: 256,
  avatar_url: 1000,
};

/** Throws `M_KEY_TOO_LARGE`, `M_INVALID_PARAM`. */
export function assertFieldName(name: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new MatrixError(
      "M_KEY_TOO_LARGE",
      "The name of a profile field has at most 255 bytes.",
    );
  }
  if (!NAME.test(name)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "The name of a profile field has only the characters a-z, 0-9, and _ . - and begins with a letter.",
    );
  }
}

/**
 * Whether a value sets the field or, as older clients say it, removes it.
 * Throws `M_INVALID_PARAM`; custom fields may hold anything.
 */
export function checkFieldValue(
  name: string,
  value: JsonValue,
): "sets" | "removes" {
  const most = MAX_CHARACTERS[name];
  if (most === undefined) {
    if (name === "m.tz" && typeof value !== "string")
      throw invalid(name, "must be a string");
    return "sets";
  }
  if (value === null || value === "") return "removes";
  if (typeof value !== "string") throw invalid(name, "must be a string");
  if ([...value].length > most)
    throw invalid(name, `has at most ${most} characters`);
  if (name === "avatar_url" && !/^mxc:\/\/[^/\s]+\/[^/\s]+$/.test(value))
    throw invalid(name, "must be an mxc:// URI");
  return "sets";
}

const invalid = (name: string, what: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", `"${name}" ${what}.`);
