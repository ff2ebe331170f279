import type { Sql } from "./database.ts";

export type CrossSigningUsage = "master" | "self_signing" | "user_signing";

export interface CrossSigningRow {
  userId: string;
  usage: CrossSigningUsage;
  json: string;
}

export async function listCrossSigningKeys(
  sql: Sql,
  userIds: readonly string[],
): Promise<CrossSigningRow[]> {
  if (userIds.length === 0) return [];
  return sql<CrossSigningRow[]>`
    select user_id, usage, json from cross_signing_keys
    where user_id = any(${userIds as string[]}::text[])`;
}

export interface KeySignatureRow {
  userId: string;
  /** A device id, or the public key of a cross-signing key. */
  target: string;
  signer: string;
  signingKey: string;
  signature: string;
  /** Of what is signed. */
  signedHash: Uint8Array;
}

/** Signatures of these users' keys that the viewer may see: their own, and the viewer's. */
export async function listKeySignatures(
  sql: Sql,
  userIds: readonly string[],
  viewer: string,
): Promise<KeySignatureRow[]> {
  if (userIds.length === 0) return [];
  return sql<KeySignatureRow[]>`
    select user_id, target, signer, signing_key, signature, signed_hash from key_signatures
    where user_id = any(${userIds as string[]}::text[]) and (signer = user_id or signer = ${viewer})`;
}
