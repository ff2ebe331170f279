import type { Edges } from "../../edges.ts";
import { emptyJsonObject, type JsonObject } from "../../core/json.ts";
import {
  listCrossSigningKeys,
  listKeySignatures,
  type CrossSigningRow,
  type KeySignatureRow,
} from "../../storage/cross-signing.ts";
import { listDeviceKeys } from "../../storage/device-keys.ts";
import {
  deviceContext,
  type DeviceDetails,
} from "../accounts/device-details.ts";
import { publicKeyIn } from "./cross-signing-key.ts";
import {
  listSignatures,
  signaturesBy,
  signedHashOf,
  withSignatures,
} from "./key-objects.ts";
import { divideUsers } from "./unreachable.ts";

type Needs = Pick<Edges, "db" | "keyring" | "settings">;

export interface QueriedKeys extends JsonObject {
  device_keys: JsonObject;
  failures: JsonObject;
  master_keys: JsonObject;
  self_signing_keys: JsonObject;
  user_signing_keys: JsonObject;
}

/**
 * The keys of users and their devices, with the signatures that the viewer may see.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery
 * @param wanted device ids by user; none for all of the user's devices
 */
export async function queryKeys(
  edges: Needs,
  viewer: string,
  wanted: ReadonlyMap<string, readonly string[]>,
): Promise<QueriedKeys> {
  const { local, failures } = divideUsers(edges.settings, [...wanted.keys()]);
  const signatures = new SignatureBook(
    await listKeySignatures(edges.db, local, viewer),
  );
  const crossSigning = await listCrossSigningKeys(edges.db, local);
  return {
    device_keys: await readDevices(edges, local, wanted, signatures),
    failures,
    ...presentCrossSigning(crossSigning, viewer, signatures),
  };
}

async function readDevices(
  { db, keyring }: Needs,
  userIds: readonly string[],
  wanted: ReadonlyMap<string, readonly string[]>,
  signatures: SignatureBook,
): Promise<JsonObject> {
  const isWanted = (userId: string, deviceId: string) => {
    const devices = wanted.get(userId) ?? [];
    return devices.length === 0 || devices.includes(deviceId);
  };
  const rows = (await listDeviceKeys(db, userIds)).filter((row) =>
    isWanted(row.userId, row.deviceId),
  );
  const details = await keyring.openAll(
    rows.map(({ userId, deviceId, keyId, sealed }) => ({
      context: deviceContext(userId, deviceId),
      keyId,
      sealed,
    })),
  );
  const byUser = emptyJsonObject();
  for (const userId of userIds) byUser[userId] = emptyJsonObject();
  rows.forEach(({ userId, deviceId, json }, i) => {
    const keys = signatures.addTo(userId, deviceId, parse(json));
    const name = nameIn(details[i]);
    if (name !== undefined) keys["unsigned"] = { device_display_name: name };
    (byUser[userId] as JsonObject)[deviceId] = keys;
  });
  return byUser;
}

const parse = (json: string): JsonObject => JSON.parse(json) as JsonObject;

function nameIn(details: string | undefined): string | undefined {
  if (details === undefined) return undefined;
  return (JSON.parse(details) as DeviceDetails).display_name;
}

function presentCrossSigning(
  rows: readonly CrossSigningRow[],
  viewer: string,
  signatures: SignatureBook,
): Pick<
  QueriedKeys,
  "master_keys" | "self_signing_keys" | "user_signing_keys"
> {
  const shown = {
    master_keys: emptyJsonObject(),
    self_signing_keys: emptyJsonObject(),
    user_signing_keys: emptyJsonObject(),
  };
  const masters = new Map<string, string>();
  for (const { userId, usage, json } of rows) {
    if (usage !== "master") continue;
    const key = parse(json);
    const publicKey = publicKeyIn(key) ?? "";
    masters.set(userId, publicKey);
    shown.master_keys[userId] = signatures.addTo(userId, publicKey, key);
  }
  for (const { userId, usage, json } of rows) {
    if (usage === "master") continue;
    if (usage === "user_signing" && userId !== viewer) continue;
    const key = parse(json);
    // A key of a master key that was replaced says nothing any more.
    const signer = `ed25519:${masters.get(userId)}`;
    if (!signaturesBy(key, userId).some(([keyId]) => keyId === signer))
      continue;
    shown[`${usage}_keys`][userId] = key;
  }
  return shown;
}

/** Signatures that were uploaded apart from what they sign. */
class SignatureBook {
  readonly #byTarget = new Map<string, KeySignatureRow[]>();

  constructor(rows: readonly KeySignatureRow[]) {
    for (const row of rows) {
      const name = JSON.stringify([row.userId, row.target]);
      const list = this.#byTarget.get(name);
      if (list) list.push(row);
      else this.#byTarget.set(name, [row]);
    }
  }

  addTo(userId: string, target: string, key: JsonObject): JsonObject {
    const rows = this.#byTarget.get(JSON.stringify([userId, target])) ?? [];
    if (rows.length === 0) return key;
    const hash = signedHashOf(key);
    const standing = rows.filter(({ signedHash }) => hash.equals(signedHash));
    const added = standing.map(({ signer, signingKey, signature }) => ({
      signer,
      keyId: signingKey,
      signature,
    }));
    return withSignatures(key, [...listSignatures(key), ...added]);
  }
}
