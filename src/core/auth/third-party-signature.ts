import { isJsonObject, type JsonObject } from "../json.ts";
import { isSignedJson, listSigningKeyIds } from "../signing.ts";

/** An invite names a key or two; more tries than this only cost time. */
const MAX_VERIFICATIONS = 100;

/** Whether any Ed25519 signature in `signed.signatures` is by one of the keys, in base64. */
export function isSignedByAnyKey(
  signed: JsonObject,
  publicKeys: readonly string[],
): boolean {
  const { signatures } = signed;
  if (!isJsonObject(signatures)) return false;
  let left = MAX_VERIFICATIONS;
  for (const serverName of Object.keys(signatures)) {
    for (const keyId of listSigningKeyIds(signatures, serverName)) {
      for (const publicKey of publicKeys) {
        if (left-- === 0) return false;
        if (isSignedJson(signed, serverName, keyId, publicKey)) return true;
      }
    }
  }
  return false;
}
