import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { isSignedJson } from "../../core/signing.ts";
import { assertKeySize, valueAt, without } from "./key-objects.ts";

const MAX_BYTES = 16 * 1024;
const KEY_ID = /^[\x21-\x39\x3b-\x7e]{1,64}:[^\0]{1,255}$/u;

/**
 * Checks what a device says of itself: that it speaks for itself alone, and that
 * its own key signed it. Answers the text to store.
 * @throws MatrixError M_INVALID_PARAM, M_INVALID_SIGNATURE, M_TOO_LARGE
 */
export function parseDeviceKeys(
  owner: { userId: string; deviceId: string },
  deviceKeys: JsonObject,
): string {
  const { userId, deviceId } = owner;
  if (
    deviceKeys["user_id"] !== userId ||
    deviceKeys["device_id"] !== deviceId
  ) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "The device keys must name your own user id and device id.",
    );
  }
  if (Object.keys(deviceKeys["keys"] ?? {}).some((id) => !KEY_ID.test(id))) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A key's name must be an algorithm, a colon and the device id.",
    );
  }
  const publicKey = identityKeyOf(deviceKeys, deviceId);
  const keyId = `ed25519:${deviceId}`;
  if (
    publicKey === undefined ||
    !isSignedJson(deviceKeys, userId, keyId, publicKey)
  ) {
    throw new MatrixError(
      "M_INVALID_SIGNATURE",
      "The device keys are not signed by the device's own ed25519 key.",
    );
  }
  const json = canonicalJson(without(deviceKeys, "unsigned"));
  assertKeySize(json, MAX_BYTES);
  return json;
}

/** The Ed25519 public key that signs for a device. */
export function identityKeyOf(
  deviceKeys: JsonObject,
  deviceId: string,
): string | undefined {
  const key = valueAt(deviceKeys, "keys", `ed25519:${deviceId}`);
  return typeof key === "string" ? key : undefined;
}
