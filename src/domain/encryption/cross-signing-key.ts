import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { findPublicKey } from "../../core/signing-key.ts";
import type { CrossSigningUsage } from "../../storage/cross-signing.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { assertKeySize } from "./key-objects.ts";

const MAX_BYTES = 16 * 1024;

export interface CrossSigningKey {
  usage: CrossSigningUsage;
  publicKey: string;
  object: JsonObject;
}

/** The one public key of a cross-signing key object. */
export function publicKeyIn({ keys }: JsonObject): string | undefined {
  if (!isJsonObject(keys)) return undefined;
  const [entry, ...more] = Object.entries(keys);
  if (!entry || more.length > 0) return undefined;
  const [keyId, publicKey] = entry;
  return typeof publicKey === "string" && keyId === `ed25519:${publicKey}`
    ? publicKey
    : undefined;
}

/** @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE */
export function parseCrossSigningKey(
  userId: string,
  usage: CrossSigningUsage,
  object: JsonObject,
): CrossSigningKey {
  const publicKey = publicKeyIn(object);
  if (publicKey === undefined || findPublicKey(publicKey) === undefined) {
    throw invalid(usage, "must hold one Ed25519 public key under its own name");
  }
  if (object["user_id"] !== userId) {
    throw invalid(usage, "must name your own user id");
  }
  const { usage: usages } = object;
  if (!Array.isArray(usages) || !usages.includes(usage)) {
    throw invalid(usage, `must have the usage "${usage}"`);
  }
  assertKeySize(canonicalJson(object), MAX_BYTES);
  return { usage, publicKey, object };
}

const invalid = (usage: CrossSigningUsage, what: string): MatrixError =>
  new MatrixError(
    "M_INVALID_PARAM",
    `The ${usage.replace("_", "-")} key ${what}.`,
  );
