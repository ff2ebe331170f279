import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { canonicalJsonAsReceived } from "../canonical-json.ts";
import { carryNumberTokens } from "../json-numbers.ts";
import { emptyJsonObject, isJsonObject, type JsonObject } from "../json.ts";

/** An invite names a key or two; more pairs than this only cost time. */
const MAX_VERIFICATIONS = 256;

/** The fixed head of an Ed25519 public key in DER (RFC 8410). */
const ED25519_DER = Buffer.from("302a300506032b6570032100", "hex");

/** Whether any Ed25519 signature in `signed.signatures` is by one of the keys, in base64. */
export function isSignedByAnyKey(
  signed: JsonObject,
  publicKeys: readonly string[],
): boolean {
  const keys = publicKeys.flatMap((key) => toKeyObject(key) ?? []);
  const signatures = listSignatures(signed);
  if (keys.length === 0 || signatures.length === 0) return false;
  const message = Buffer.from(
    canonicalJsonAsReceived(withoutSignatures(signed)),
  );
  let left = MAX_VERIFICATIONS;
  for (const signature of signatures) {
    for (const key of keys) {
      if (left-- === 0) return false;
      if (verify(null, message, key, signature)) return true;
    }
  }
  return false;
}

function withoutSignatures(signed: JsonObject): JsonObject {
  const copy = emptyJsonObject();
  for (const [key, value] of Object.entries(signed)) {
    if (key !== "signatures" && key !== "unsigned") copy[key] = value;
  }
  carryNumberTokens(signed, copy);
  return copy;
}

function listSignatures({ signatures }: JsonObject): Buffer[] {
  if (!isJsonObject(signatures)) return [];
  return Object.values(signatures).flatMap((byKey) =>
    isJsonObject(byKey)
      ? Object.entries(byKey).flatMap(([keyId, signature]) =>
          keyId.startsWith("ed25519:") && typeof signature === "string"
            ? [Buffer.from(signature, "base64")]
            : [],
        )
      : [],
  );
}

function toKeyObject(key: string): KeyObject | undefined {
  // Node's decoder takes the standard and the URL-safe alphabet, padded or not.
  const bytes = Buffer.from(key, "base64");
  if (bytes.length !== 32) return undefined;
  return createPublicKey({
    key: Buffer.concat([ED25519_DER, bytes]),
    format: "der",
    type: "spki",
  });
}
