import { sign, verify, type KeyObject } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import { readJson } from "./json-reader.ts";
import { isJsonObject, type JsonObject } from "./json.ts";

const WHAT = "myelin destruction certificate";

/** The text that is signed, which says itself what it is, and in `key_id` by which key. */
export const certificateText = (certificate: JsonObject): string =>
  canonicalJson({ ...certificate, what: WHAT });

/** Base64. */
export const signCertificate = (text: string, privateKey: KeyObject): string =>
  sign(null, Buffer.from(text), privateKey).toString("base64");

/** The key that a text says it was signed by; undefined in texts of before they said so. */
export function keyIdIn(text: string): string | undefined {
  const said = readJson(text);
  const keyId = isJsonObject(said) ? said["key_id"] : undefined;
  return typeof keyId === "string" ? keyId : undefined;
}

/** Whether a text is a certificate that this key has signed; it is for no other purpose. */
export function isCertificate(
  text: string,
  signature: string,
  publicKey: KeyObject,
): boolean {
  const bytes = Buffer.from(text);
  if (!verify(null, bytes, publicKey, Buffer.from(signature, "base64")))
    return false;
  const said = readJson(text);
  return isJsonObject(said) && said["what"] === WHAT;
}
