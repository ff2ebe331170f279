// One device whose cryptography is libolm's, uploaded and read with hand-written requests.
import { createRequire } from "node:module";
import type * as Olm from "@matrix-org/olm";
import {
  at,
  object,
  text,
  type JsonObject,
} from "../conformance/harness/json.ts";
import type { User } from "../conformance/harness/user.ts";

const require = createRequire(import.meta.url);

/** The published declarations are of a module, which this is not. */
export const olm = require("@matrix-org/olm") as typeof Olm;
await olm.init();

export const OLM = "m.olm.v1.curve25519-aes-sha2";
export const MEGOLM = "m.megolm.v1.aes-sha2";

/** Canonical JSON of what these tests sign: ASCII keys. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(",")}}`;
}

/** Throws unless the object is signed with that device's key. */
export function verifySignature(
  signed: JsonObject,
  userId: string,
  deviceId: string,
  ed25519: string,
): void {
  const { signatures, ...bare } = signed;
  delete bare["unsigned"];
  const signature = text(signatures, userId, `ed25519:${deviceId}`);
  const utility = new olm.Utility();
  try {
    utility.ed25519_verify(ed25519, canonical(bare), signature);
  } finally {
    utility.free();
  }
}

export interface PeerKeys {
  curve25519: string;
  ed25519: string;
}

export class OlmDevice {
  readonly user: User;
  readonly account = new olm.Account();
  readonly keys: PeerKeys;

  constructor(user: User) {
    this.user = user;
    this.account.create();
    this.keys = JSON.parse(this.account.identity_keys()) as PeerKeys;
  }

  sign(object: JsonObject): JsonObject {
    const signature = this.account.sign(canonical(object));
    const key = `ed25519:${this.user.deviceId}`;
    return {
      ...object,
      signatures: { [this.user.userId]: { [key]: signature } },
    };
  }

  /** Uploads the device's keys and as many one-time keys; answers the server's counts. */
  async upload(oneTimeKeys: number): Promise<JsonObject> {
    const { userId, deviceId } = this.user;
    this.account.generate_one_time_keys(oneTimeKeys);
    const body = {
      device_keys: this.sign({
        user_id: userId,
        device_id: deviceId,
        algorithms: [OLM, MEGOLM],
        keys: {
          [`curve25519:${deviceId}`]: this.keys.curve25519,
          [`ed25519:${deviceId}`]: this.keys.ed25519,
        },
      }),
      one_time_keys: this.#signed(this.account.one_time_keys(), {}),
    };
    const answer = await this.user.mustPost("/keys/upload", body);
    this.account.mark_keys_as_published();
    return object(answer, "one_time_key_counts");
  }

  async uploadFallbackKey(): Promise<string> {
    this.account.generate_fallback_key();
    const keys = this.account.unpublished_fallback_key();
    const fallback_keys = this.#signed(keys, { fallback: true });
    await this.user.mustPost("/keys/upload", { fallback_keys });
    return Object.values(curveKeys(keys))[0] ?? "";
  }

  /** Another device's keys as the server tells them, signature checked. */
  async query({ userId, deviceId }: User): Promise<PeerKeys> {
    const answer = await this.user.mustPost("/keys/query", {
      device_keys: { [userId]: [] },
    });
    const device = object(answer, "device_keys", userId, deviceId);
    const keys = {
      curve25519: text(device, "keys", `curve25519:${deviceId}`),
      ed25519: text(device, "keys", `ed25519:${deviceId}`),
    };
    verifySignature(device, userId, deviceId, keys.ed25519);
    return keys;
  }

  /** A one-time key of another device under its id, undefined where none is left. */
  async claim({
    userId,
    deviceId,
  }: User): Promise<[id: string, key: JsonObject] | undefined> {
    const answer = await this.user.mustPost("/keys/claim", {
      one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } },
    });
    const claimed = at(answer, "one_time_keys", userId, deviceId) ?? {};
    return Object.entries(claimed as Record<string, JsonObject>)[0];
  }

  free(): void {
    this.account.free();
  }

  #signed(keysText: string, more: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(curveKeys(keysText)).map(([id, key]) => [
        `signed_curve25519:${id}`,
        this.sign({ key, ...more }),
      ]),
    );
  }
}

const curveKeys = (keysText: string): Record<string, string> =>
  (JSON.parse(keysText) as { curve25519: Record<string, string> }).curve25519;
