import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** A key that signs for a server. */
export interface SigningKey {
  serverName: string;
  /** `ed25519:<version>` */
  keyId: string;
  privateKey: KeyObject;
}

const KEY_BYTES = 32;
/** DER of an Ed25519 private key up to its seed (RFC 8410). */
const PRIVATE_KEY_PREFIX = Buffer.from(
  "302e020100300506032b657004220420",
  "hex",
);
/** DER of an Ed25519 public key up to its point. */
const PUBLIC_KEY_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** @throws TypeError if the seed is not 32 bytes */
export function privateKeyFromSeed(seed: Uint8Array): KeyObject {
  if (seed.length !== KEY_BYTES) {
    throw new TypeError("The seed of a signing key has 32 bytes.");
  }
  return createPrivateKey({
    key: Buffer.concat([PRIVATE_KEY_PREFIX, seed]),
    format: "der",
    type: "pkcs8",
  });
}

/** The public half in unpadded base64, as `/key/v2/server` publishes it. */
export function publicKeyOf(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({
    format: "der",
    type: "spki",
  });
  return encodeBase64(der.subarray(PUBLIC_KEY_PREFIX.length));
}

const MAX_CACHED_KEYS = 10_000;
const cachedKeys = new Map<string, KeyObject>();

/** The key object for a published key; undefined if that is no Ed25519 key. */
export function findPublicKey(published: string): KeyObject | undefined {
  const cached = cachedKeys.get(published);
  if (cached !== undefined) return cached;
  const point = decodeBase64(published);
  if (point?.length !== KEY_BYTES) return undefined;
  const key = createPublicKey({
    key: Buffer.concat([PUBLIC_KEY_PREFIX, point]),
    format: "der",
    type: "spki",
  });
  if (cachedKeys.size >= MAX_CACHED_KEYS) {
    cachedKeys.delete(cachedKeys.keys().next().value!);
  }
  cachedKeys.set(published, key);
  return key;
}
