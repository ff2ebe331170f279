import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import { findDeviceTrust } from "../../storage/policy-facts.ts";
import { publicKeyIn } from "../encryption/cross-signing-key.ts";
import { signaturesBy, signedHashOf } from "../encryption/key-objects.ts";

/**
 * Whether a device is signed by its user's self-signing key, and that one by the master
 * key. A signature of what the keys were before counts for nothing.
 */
export async function isDeviceVerified(
  { db }: Pick<Edges, "db">,
  userId: string,
  deviceId: string,
): Promise<boolean> {
  const trust = await findDeviceTrust(db, userId, deviceId);
  if (!trust) return false;
  const selfSigning = parse(trust.selfSigningKey);
  const signer = keyIdIn(selfSigning);
  const master = keyIdIn(parse(trust.masterKey));
  const isOfMaster = signaturesBy(selfSigning, userId).some(
    ([keyId]) => keyId === master,
  );
  const hash = signedHashOf(parse(trust.deviceKeys)).toString("hex");
  return (
    isOfMaster &&
    trust.signatures.some(
      ({ signingKey, signedHash }) =>
        signingKey === signer && signedHash === hash,
    )
  );
}

const parse = (json: string): JsonObject => JSON.parse(json) as JsonObject;

const keyIdIn = (key: JsonObject): string =>
  `ed25519:${publicKeyIn(key) ?? ""}`;
