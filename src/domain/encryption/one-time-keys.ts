import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { assertKeySize } from "./key-objects.ts";

export interface OneTimeKey {
  algorithm: string;
  keyId: string;
  /** Canonical JSON: a string, or an object that is signed. */
  json: string;
}

const MAX_BYTES = 4096;
const FULL_ID = /^([\x21-\x39\x3b-\x7e]{1,64}):([\x21-\x7e]{1,255})$/;

/** @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE */
export function parseOneTimeKeys(
  keys: Readonly<Record<string, JsonValue>>,
): OneTimeKey[] {
  return Object.entries(keys).map(([fullId, value]) => {
    const [, algorithm, keyId] = FULL_ID.exec(fullId) ?? [];
    if (algorithm === undefined || keyId === undefined) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        "A key's name must be an algorithm, a colon and an id.",
      );
    }
    const isSigned = isJsonObject(value) && typeof value["key"] === "string";
    const isFit = algorithm.startsWith("signed_")
      ? isSigned && isJsonObject(value["signatures"])
      : isSigned || typeof value === "string";
    if (!isFit) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        `The key ${fullId} has not the form of its algorithm.`,
      );
    }
    const json = canonicalJson(value);
    assertKeySize(json, MAX_BYTES);
    return { algorithm, keyId, json };
  });
}

/** At most one fallback key per algorithm is kept: the last one. */
export const lastOfEachAlgorithm = (
  keys: readonly OneTimeKey[],
): OneTimeKey[] => [
  ...new Map(keys.map((key) => [key.algorithm, key])).values(),
];
