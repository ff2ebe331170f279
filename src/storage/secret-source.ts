import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Secret } from "../util/secret.ts";
import { findKeyFile } from "./key-files.ts";
import { isGuessable } from "./known-keys.ts";
import { SecretsError } from "./secrets-error.ts";
import { makeSigningKeyText, parseSigningKey } from "./signing-key.ts";
import type { SigningKey } from "./signing-key.ts";

/** Where the secrets of this process come from: the environment first, then files. */
export interface SecretSource {
  keysDir: string;
  /** `master`, `pepper` and `signing`, from the variables `MYELIN_KEYS_…`. */
  given: ReadonlyMap<string, Secret>;
}

export const PEPPER = "pepper";
export const SIGNING = "signing";
/** Signs checkpoints of the audit log, and nothing else. */
export const AUDIT = "audit";
export const masterName = (epoch: number): string => `master-${epoch}`;
/** The epoch of a master key's name; undefined for the other secrets. */
export function epochOf(name: string): number | undefined {
  const match = /^master-([1-9]\d*)$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** Of the keys that sign checkpoints one after the other, the one of this epoch. */
export const auditName = (epoch: number): string =>
  epoch === 1 ? AUDIT : `${AUDIT}-${epoch}`;
function auditEpochOf(name: string): number | undefined {
  const match = /^audit(?:-([1-9]\d*))?$/.exec(name);
  return match ? Number(match[1] ?? "1") : undefined;
}

/** The text of a secret, as the environment or its file tells it. */
export async function findSecretText(
  source: SecretSource,
  name: string,
): Promise<string | undefined> {
  return findGiven(source, name) ?? findKeyFile(source.keysDir, name);
}

function findGiven({ given }: SecretSource, name: string): string | undefined {
  const master = epochOf(name);
  const audit = auditEpochOf(name);
  if (master !== undefined)
    return findEpoch(given.get("master")?.reveal() ?? "", master);
  if (audit !== undefined)
    return findEpoch(given.get(AUDIT)?.reveal() ?? "", audit);
  return given.get(name)?.reveal();
}

/** Of `<key>` (the first epoch) or `1:<key>,2:<key>`, the one of this epoch. */
function findEpoch(text: string, epoch: number): string | undefined {
  for (const part of text.split(",")) {
    const match = /^(?:(\d+):)?(\S.*)$/.exec(part.trim());
    if (match && Number(match[1] ?? "1") === epoch) return match[2];
  }
  return undefined;
}

/** A new secret of this name, as its file holds it. */
export function makeSecretText(name: string): string {
  return isSigningName(name)
    ? makeSigningKeyText()
    : randomBytes(32).toString("base64");
}

/** Where an operator puts a secret, in words. */
export function placeOf({ keysDir }: SecretSource, name: string): string {
  const master = epochOf(name);
  const audit = auditEpochOf(name) ?? 1;
  const variable =
    master !== undefined
      ? `MYELIN_KEYS_MASTER (as ${master}:<key>)`
      : audit > 1
        ? `MYELIN_KEYS_AUDIT (as ${audit}:<key>)`
        : `MYELIN_KEYS_${name.toUpperCase()}`;
  return `the file ${join(keysDir, name)} or the variable ${variable}`;
}

/** The 32 bytes of a master key or of the pepper. */
export function readBytes(
  source: SecretSource,
  name: string,
  text: string,
): Buffer {
  const bytes = /^[A-Za-z0-9+/]{43}=?$/.test(text)
    ? Buffer.from(text, "base64")
    : undefined;
  if (!bytes) refuse(source, name, "is not the base64 of 32 random bytes.");
  if (isGuessable(bytes)) refuse(source, name, "is a key that can be guessed.");
  return bytes;
}

/** Whether a secret is a key that signs. */
export const isSigningName = (name: string): boolean =>
  name === SIGNING || auditEpochOf(name) !== undefined;

export function readSigningKey(
  source: SecretSource,
  name: string,
  text: string,
): SigningKey {
  const key = parseSigningKey(text);
  if (typeof key === "string") refuse(source, name, key);
  return key;
}

function refuse(source: SecretSource, name: string, why: string): never {
  throw new SecretsError(`The secret in ${placeOf(source, name)} ${why}`);
}

/** Recognises a secret without telling it. */
export function fingerprintOf(name: string, text: string): string {
  const secret = text.replace(/=+$/, "");
  return createHash("sha256")
    .update(`myelin fingerprint\n${name}\n${secret}`)
    .digest("hex");
}
