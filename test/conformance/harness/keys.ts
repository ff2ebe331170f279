// Device keys, one-time keys and cross-signing keys as a client makes them.
import {
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { isObject, type JsonObject } from "./json.ts";
import type { User } from "./user.ts";

const unpadded = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString("base64").replace(/=+$/, "");

/** Canonical JSON of what these tests sign: ASCII keys, no numbers. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}

export interface SigningKey {
  /** Unpadded base64 of the public half. */
  publicKey: string;
  privateKey: KeyObject;
}

export function newSigningKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  return { publicKey: unpadded(raw), privateKey };
}

/** The object with a signature added: `keyName` is what follows "ed25519:". */
export function signed(
  object: JsonObject,
  userId: string,
  keyName: string,
  key: SigningKey,
): JsonObject {
  const bytes = Buffer.from(canonical(object));
  const signature = unpadded(sign(null, bytes, key.privateKey));
  return {
    ...object,
    signatures: { [userId]: { [`ed25519:${keyName}`]: signature } },
  };
}

/** DER of an Ed25519 public key up to its point. */
const PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Whether an object bears a signature that this key made. */
export function isSignedBy(
  { signatures, unsigned: _, ...object }: JsonObject,
  name: string,
  keyId: string,
  publicKey: string,
): boolean {
  const made = isObject(signatures) ? signatures[name] : undefined;
  const signature = isObject(made) ? made[keyId] : undefined;
  if (typeof signature !== "string") return false;
  const key = createPublicKey({
    key: Buffer.concat([PREFIX, Buffer.from(publicKey, "base64")]),
    ...{ format: "der", type: "spki" },
  });
  const bytes = Buffer.from(canonical(object));
  return verify(null, bytes, key, Buffer.from(signature, "base64"));
}

export interface DeviceIdentity {
  deviceKeys: JsonObject;
  /** A signed one-time key object under its full id. */
  oneTimeKey: (id: string) => JsonObject;
}

/** The identity keys of one device of a user. */
export function newDeviceIdentity(
  user: Pick<User, "userId" | "deviceId">,
): DeviceIdentity {
  const key = newSigningKey();
  const { userId, deviceId } = user;
  const bare = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
    keys: {
      [`curve25519:${deviceId}`]: unpadded(randomBytes(32)),
      [`ed25519:${deviceId}`]: key.publicKey,
    },
  };
  return {
    deviceKeys: signed(bare, userId, deviceId, key),
    oneTimeKey: (id) => ({
      [`signed_curve25519:${id}`]: signed(
        { key: unpadded(randomBytes(32)) },
        userId,
        deviceId,
        key,
      ),
    }),
  };
}

export function crossSigningKey(
  userId: string,
  usage: "master" | "self_signing" | "user_signing",
  key: SigningKey,
): JsonObject {
  const id = `ed25519:${key.publicKey}`;
  return { user_id: userId, usage: [usage], keys: { [id]: key.publicKey } };
}
