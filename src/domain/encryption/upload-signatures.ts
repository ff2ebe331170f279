import type { Edges } from "../../edges.ts";
import { MatrixError, type Errcode } from "../../core/errors.ts";
import { isUserId } from "../../core/ids.ts";
import {
  emptyJsonObject,
  isJsonObject,
  type JsonObject,
} from "../../core/json.ts";
import { isSignedJson } from "../../core/signing.ts";
import {
  listCrossSigningKeys,
  type CrossSigningUsage,
} from "../../storage/cross-signing.ts";
import { listDeviceKeys } from "../../storage/device-keys.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { Requester } from "../accounts/requester.ts";
import { publicKeyIn } from "./cross-signing-key.ts";
import { identityKeyOf } from "./device-keys.ts";
import {
  signaturesBy,
  signedHashOf,
  signedPart,
  valueAt,
} from "./key-objects.ts";
import { wakeForKeys } from "./tell-key-change.ts";

type Needs = Pick<Edges, "committer" | "db">;
type Signatures = WriteRows["keySignatures"];

/**
 * Stores signatures after verifying them. There are three that mean something:
 * of one's device by one's self-signing key, of one's master key by one's device,
 * of another's master key by one's user-signing key.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload
 * @returns what failed, by user and key
 */
export async function uploadSignatures(
  edges: Needs,
  { userId }: Requester,
  uploaded: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>,
): Promise<JsonObject> {
  const failures = emptyJsonObject();
  const signatures: Signatures = [];
  const book = await readKeyBook(edges, userId, Object.keys(uploaded));
  for (const [owner, targets] of Object.entries(uploaded)) {
    for (const [target, object] of Object.entries(targets)) {
      try {
        signatures.push(
          ...checkSignatures(book, userId, owner, target, object),
        );
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        const { errcode, message } = error;
        const ofOwner = (failures[owner] ??= emptyJsonObject()) as JsonObject;
        ofOwner[target] = { errcode, error: message };
      }
    }
  }
  if (signatures.length > 0) {
    const signers = signatures
      .map(({ signingKey }) => signingKey.replace(/^ed25519:/, ""))
      .filter((name) => book.devices.has(name));
    await store(edges, userId, signatures, signers);
  }
  return failures;
}

async function store(
  edges: Needs,
  userId: string,
  keySignatures: Signatures,
  devices: readonly string[],
): Promise<void> {
  const owners = [...new Set(keySignatures.map((row) => row.userId))];
  const isOwnChanged = owners.includes(userId);
  const outcome = await edges.committer.commit({
    positions: 1,
    activeUsers: [userId],
    liveDevices: devices.map((deviceId) => ({ userId, deviceId })),
    rows: {
      keySignatures,
      deviceListChanges: owners.map((owner) =>
        // What one signs of others is shown to nobody else.
        owner === userId
          ? { at: 0, userId: owner }
          : { at: 0, userId: owner, viewer: userId },
      ),
    },
    wake: isOwnChanged ? await wakeForKeys(edges, userId) : { users: [userId] },
  });
  if (outcome.status !== "committed") {
    throw new MatrixError("M_UNKNOWN", "The signatures could not be stored.");
  }
}

interface KeyBook {
  /** The requester's keys. */
  devices: ReadonlyMap<string, JsonObject>;
  own: ReadonlyMap<CrossSigningUsage, JsonObject>;
  /** Master keys by their owner. */
  masters: ReadonlyMap<string, JsonObject>;
}

async function readKeyBook(
  { db }: Needs,
  userId: string,
  owners: readonly string[],
): Promise<KeyBook> {
  const crossSigning = await listCrossSigningKeys(db, [
    userId,
    ...owners.filter(isUserId),
  ]);
  const parsed = crossSigning.map((row) => ({
    ...row,
    object: JSON.parse(row.json) as JsonObject,
  }));
  const devices = await listDeviceKeys(db, [userId]);
  return {
    devices: new Map(
      devices.map(({ deviceId, json }) => [
        deviceId,
        JSON.parse(json) as JsonObject,
      ]),
    ),
    own: new Map(
      parsed
        .filter((row) => row.userId === userId)
        .map(({ usage, object }) => [usage, object]),
    ),
    masters: new Map(
      parsed
        .filter(({ usage }) => usage === "master")
        .map((row) => [row.userId, row.object]),
    ),
  };
}

/** What may be signed under a name, and with which keys. */
interface Signable {
  stored: JsonObject;
  /** Public keys by key id. */
  signers: ReadonlyMap<string, string>;
}

function findSignable(
  { devices, own, masters }: KeyBook,
  userId: string,
  owner: string,
  target: string,
): Signable | undefined {
  const master = masters.get(owner);
  const isMaster = master !== undefined && publicKeyIn(master) === target;
  if (owner !== userId) {
    if (!isMaster) return undefined;
    return { stored: master, signers: signersOf(own.get("user_signing")) };
  }
  if (isMaster) {
    const signers = new Map<string, string>();
    for (const [deviceId, object] of devices) {
      const key = identityKeyOf(object, deviceId);
      if (key !== undefined) signers.set(`ed25519:${deviceId}`, key);
    }
    return { stored: master, signers };
  }
  const device = devices.get(target);
  return (
    device && { stored: device, signers: signersOf(own.get("self_signing")) }
  );
}

function signersOf(key: JsonObject | undefined): Map<string, string> {
  const publicKey = key && publicKeyIn(key);
  return publicKey === undefined
    ? new Map()
    : new Map([[`ed25519:${publicKey}`, publicKey]]);
}

function checkSignatures(
  book: KeyBook,
  userId: string,
  owner: string,
  target: string,
  object: JsonObject,
): Signatures {
  const signable = findSignable(book, userId, owner, target);
  if (!signable) {
    throw fault("M_NOT_FOUND", "There is no such key that you may sign.");
  }
  const { stored, signers } = signable;
  if (!isJsonObject(object) || signedPart(object) !== signedPart(stored)) {
    throw fault("M_INVALID_PARAM", "This is not the key that is known here.");
  }
  // Clients send along what they were shown, also signatures of keys that were replaced.
  const given = signaturesBy(object, userId).flatMap(([keyId, signature]) => {
    const publicKey = signers.get(keyId);
    return publicKey === undefined ? [] : [{ keyId, signature, publicKey }];
  });
  if (given.length === 0) {
    throw fault("M_INVALID_SIGNATURE", "There is no new signature of yours.");
  }
  const added = given.filter(
    ({ keyId, signature }) =>
      valueAt(stored, "signatures", userId, keyId) !== signature,
  );
  return added.map(({ keyId, signature, publicKey }) => {
    if (!isSignedJson(object, userId, keyId, publicKey)) {
      throw fault("M_INVALID_SIGNATURE", `The signature by ${keyId} is wrong.`);
    }
    return {
      userId: owner,
      target,
      signer: userId,
      signingKey: keyId,
      signature,
      signedHash: signedHashOf(stored),
    };
  });
}

const fault = (errcode: Errcode, message: string): MatrixError =>
  new MatrixError(errcode, message);
