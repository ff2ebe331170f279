import { sign, verify, type KeyObject } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { canonicalJson, canonicalJsonAsReceived } from "./canonical-json.ts";
import { asJson, type Pdu } from "./event.ts";
import { signedText, writeEventTexts } from "./event-texts.ts";
import { carryNumberTokens } from "./json-numbers.ts";
import { emptyJsonObject, isJsonObject, type JsonObject } from "./json.ts";
import type { RoomRules } from "./room-version.ts";
import { findPublicKey, type SigningKey } from "./signing-key.ts";

const SIGNATURE_BYTES = 64;

/** In unpadded base64. */
export const signText = (text: string, privateKey: KeyObject): string =>
  encodeBase64(sign(null, Buffer.from(text), privateKey));

/** `publicKey`: as the server published it, in base64. */
export function isSignedText(
  text: string,
  signature: string,
  publicKey: string,
): boolean {
  const bytes = decodeBase64(signature);
  const key = findPublicKey(publicKey);
  return (
    bytes?.length === SIGNATURE_BYTES &&
    key !== undefined &&
    verify(null, Buffer.from(text), key, bytes)
  );
}

/** "Removes the `signatures` and `unsigned` members of the object." */
function withoutSignatures(object: JsonObject): JsonObject {
  const rest = emptyJsonObject();
  for (const key of Object.keys(object)) {
    if (key !== "signatures" && key !== "unsigned") rest[key] = object[key]!;
  }
  carryNumberTokens(object, rest);
  return rest;
}

/** The object with our signature among its `signatures`. */
export function signJson(object: JsonObject, key: SigningKey): JsonObject {
  const text = canonicalJson(withoutSignatures(object));
  const given = object["signatures"];
  return copyWith(
    object,
    "signatures",
    addSignature(
      isJsonObject(given) ? given : emptyJsonObject(),
      key,
      signText(text, key.privateKey),
    ),
  );
}

function addSignature(
  signatures: JsonObject,
  { serverName, keyId }: SigningKey,
  signature: string,
): JsonObject {
  const ours = Object.hasOwn(signatures, serverName)
    ? signatures[serverName]
    : undefined;
  return copyWith(
    signatures,
    serverName,
    copyWith(isJsonObject(ours) ? ours : emptyJsonObject(), keyId, signature),
  );
}

function copyWith(
  object: JsonObject,
  key: string,
  value: JsonObject[string],
): JsonObject {
  const copy = emptyJsonObject();
  for (const name of Object.keys(object)) copy[name] = object[name]!;
  copy[key] = value;
  carryNumberTokens(object, copy);
  return copy;
}

/** The signature under a server's name and key, if there is one. */
export function findSignature(
  signatures: JsonObject[string] | undefined,
  serverName: string,
  keyId: string,
): string | undefined {
  if (!isJsonObject(signatures) || !Object.hasOwn(signatures, serverName)) {
    return undefined;
  }
  const ofServer = signatures[serverName];
  if (!isJsonObject(ofServer) || !Object.hasOwn(ofServer, keyId)) {
    return undefined;
  }
  const signature = ofServer[keyId];
  return typeof signature === "string" ? signature : undefined;
}

/** Whether the object holds a good signature of that server's key. */
export function isSignedJson(
  object: JsonObject,
  serverName: string,
  keyId: string,
  publicKey: string,
): boolean {
  const signature = findSignature(object["signatures"], serverName, keyId);
  return (
    signature !== undefined &&
    isSignedText(
      canonicalJsonAsReceived(withoutSignatures(object)),
      signature,
      publicKey,
    )
  );
}

/** The ids of a server's Ed25519 keys with which it signed. */
export function listSigningKeyIds(
  signatures: JsonObject[string] | undefined,
  serverName: string,
): string[] {
  if (!isJsonObject(signatures) || !Object.hasOwn(signatures, serverName)) {
    return [];
  }
  const ofServer = signatures[serverName];
  return isJsonObject(ofServer)
    ? Object.keys(ofServer).filter((keyId) => keyId.startsWith("ed25519:"))
    : [];
}

/** The event with our signature too, as for an invite of another server. */
export const signPdu = (rules: RoomRules, pdu: Pdu, key: SigningKey): Pdu =>
  copyWith(
    asJson(pdu),
    "signatures",
    addSignature(
      asJson(pdu)["signatures"] as JsonObject,
      key,
      signText(signedText(writeEventTexts(rules, pdu)), key.privateKey),
    ),
  ) as unknown as Pdu;

/** Whether the event holds a good signature of that server's key. */
export function isSignedPdu(
  rules: RoomRules,
  pdu: Pdu,
  serverName: string,
  keyId: string,
  publicKey: string,
): boolean {
  const signature = findSignature(asJson(pdu)["signatures"], serverName, keyId);
  return (
    signature !== undefined &&
    isSignedText(signedText(writeEventTexts(rules, pdu)), signature, publicKey)
  );
}
