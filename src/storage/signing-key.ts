import {
  createPrivateKey,
  createPublicKey,
  randomBytes,
  randomInt,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isGuessable, isKnownPublicKey } from "./known-keys.ts";

/** The server's own signing key. */
export interface SigningKey {
  /** `ed25519:a_AbCd` */
  keyId: string;
  privateKey: KeyObject;
  /** Unpadded base64. */
  publicKey: string;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** PKCS#8 around an Ed25519 seed. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** A new key as a line of text: `ed25519 a_AbCd <seed>`. */
export function makeSigningKeyText(): string {
  const letters = Array.from(
    { length: 4 },
    () => LETTERS[randomInt(LETTERS.length)],
  );
  const seed = randomBytes(32).toString("base64").replace(/=+$/, "");
  return `ed25519 a_${letters.join("")} ${seed}`;
}

/** Reads such a line; answers a sentence where it cannot be used. */
export function parseSigningKey(text: string): SigningKey | string {
  const match = /^ed25519 ([A-Za-z0-9_]+) ([A-Za-z0-9+/]{43})=?$/.exec(text);
  if (!match) return "is not a line `ed25519 <version> <base64 seed>`.";
  const seed = Buffer.from(match[2]!, "base64");
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, seed]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(privateKey)
    .export({ format: "der", type: "spki" })
    .subarray(-32)
    .toString("base64")
    .replace(/=+$/, "");
  if (isGuessable(seed) || isKnownPublicKey(publicKey)) {
    return "is a key that the world knows.";
  }
  return { keyId: `ed25519:${match[1]!}`, privateKey, publicKey };
}
