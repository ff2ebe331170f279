import { createHash } from "node:crypto";
import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  emptyJsonObject,
  isJsonObject,
  type JsonObject,
} from "../../core/json.ts";

/** The object without some of its members. */
export function without(
  object: JsonObject,
  ...names: readonly string[]
): JsonObject {
  const rest = emptyJsonObject();
  for (const [name, value] of Object.entries(object)) {
    if (!names.includes(name)) rest[name] = value;
  }
  return rest;
}

/** What signatures are about, as text that is equal where that is. */
export const signedPart = (object: JsonObject): string =>
  canonicalJson(without(object, "signatures", "unsigned"));

/** Equal where what signatures are about is equal. */
export const signedHashOf = (object: JsonObject): Buffer =>
  createHash("sha256").update(signedPart(object)).digest();

/** The value at a path of own members. */
export function valueAt(
  object: JsonObject | undefined,
  ...path: readonly string[]
): JsonObject[string] | undefined {
  let value: JsonObject[string] | undefined = object;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** `signatures` of a key object by one user: key id to signature. */
export function signaturesBy(
  object: JsonObject,
  userId: string,
): [keyId: string, signature: string][] {
  const given = valueAt(object, "signatures", userId);
  if (!isJsonObject(given)) return [];
  return Object.entries(given).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
}

/** The object with these signatures and no others. */
export function withSignatures(
  object: JsonObject,
  signatures: readonly { signer: string; keyId: string; signature: string }[],
): JsonObject {
  const all = emptyJsonObject();
  for (const { signer, keyId, signature } of signatures) {
    const known = all[signer];
    const bySigner = isJsonObject(known) ? known : emptyJsonObject();
    bySigner[keyId] = signature;
    all[signer] = bySigner;
  }
  const result = without(object, "signatures");
  result["signatures"] = all;
  return result;
}

/** Every signature that a key object bears. */
export function listSignatures(
  object: JsonObject,
): { signer: string; keyId: string; signature: string }[] {
  const { signatures } = object;
  if (!isJsonObject(signatures)) return [];
  return Object.keys(signatures).flatMap((signer) =>
    signaturesBy(object, signer).map(([keyId, signature]) => ({
      signer,
      keyId,
      signature,
    })),
  );
}

/** Throws `M_TOO_LARGE` for a key object of more bytes. */
export function assertKeySize(json: string, mostBytes: number): void {
  if (Buffer.byteLength(json) > mostBytes) {
    throw new MatrixError(
      "M_TOO_LARGE",
      `A key cannot have more than ${mostBytes} bytes.`,
    );
  }
}
