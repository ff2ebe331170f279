import { generateKeyPairSync, randomBytes } from "node:crypto";
import { signJson } from "../../src/core/signing.ts";
import { publicKeyOf } from "../../src/core/signing-key.ts";
import type { JsonObject } from "../../src/core/json.ts";

/** A key that signs under a user id. */
export interface TestKey {
  publicKey: string;
  sign(object: JsonObject, userId: string, keyName?: string): JsonObject;
}

export function newKey(): TestKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  const publicKey = publicKeyOf(privateKey);
  return {
    publicKey,
    sign: (object, userId, keyName = publicKey) =>
      signJson(object, {
        serverName: userId,
        keyId: `ed25519:${keyName}`,
        privateKey,
      }),
  };
}

const randomKey = (): string =>
  randomBytes(32).toString("base64").replace(/=+$/, "");

export interface DeviceIdentity {
  key: TestKey;
  deviceKeys: JsonObject;
  /** A signed one-time key under its full id. */
  oneTimeKey(id: string): JsonObject;
}

/** What a client makes when it first starts on a device. */
export function newDevice(
  owner: { userId: string; deviceId: string },
  more: JsonObject = {},
): DeviceIdentity {
  const { userId, deviceId } = owner;
  const key = newKey();
  const bare = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
    keys: {
      [`curve25519:${deviceId}`]: randomKey(),
      [`ed25519:${deviceId}`]: key.publicKey,
    },
    ...more,
  };
  return {
    key,
    deviceKeys: key.sign(bare, userId, deviceId),
    oneTimeKey: (id) => ({
      [`signed_curve25519:${id}`]: key.sign(
        { key: randomKey() },
        userId,
        deviceId,
      ),
    }),
  };
}

export const crossSigningKey = (
  userId: string,
  usage: "master" | "self_signing" | "user_signing",
  { publicKey }: TestKey,
): JsonObject => ({
  user_id: userId,
  usage: [usage],
  keys: { [`ed25519:${publicKey}`]: publicKey },
});

export interface CrossSigning {
  master: TestKey;
  selfSigning: TestKey;
  userSigning: TestKey;
  body: Record<
    "master_key" | "self_signing_key" | "user_signing_key",
    JsonObject
  >;
}

export function newCrossSigning(userId: string): CrossSigning {
  const [master, selfSigning, userSigning] = [newKey(), newKey(), newKey()];
  const signed = (usage: "self_signing" | "user_signing", key: TestKey) =>
    master.sign(crossSigningKey(userId, usage, key), userId);
  return {
    master,
    selfSigning,
    userSigning,
    body: {
      master_key: crossSigningKey(userId, "master", master),
      self_signing_key: signed("self_signing", selfSigning),
      user_signing_key: signed("user_signing", userSigning),
    },
  };
}
