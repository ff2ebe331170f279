import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { isSignedJson } from "../../core/signing.ts";
import {
  listCrossSigningKeys,
  type CrossSigningUsage,
} from "../../storage/cross-signing.ts";
import { listDeviceKeys } from "../../storage/device-keys.ts";
import { listDevices } from "../../storage/sessions.ts";
import { findUser } from "../../storage/users.ts";
import type { GuessEdges } from "../accounts/guesses.ts";
import { reauthenticate } from "../accounts/reauthenticate.ts";
import type { Requester } from "../accounts/requester.ts";
import {
  parseCrossSigningKey,
  publicKeyIn,
  type CrossSigningKey,
} from "./cross-signing-key.ts";
import { identityKeyOf } from "./device-keys.ts";
import { signaturesBy, signedHashOf, withSignatures } from "./key-objects.ts";
import { wakeForKeys } from "./tell-key-change.ts";

export interface CrossSigningUpload {
  master_key?: JsonObject;
  self_signing_key?: JsonObject;
  user_signing_key?: JsonObject;
  auth?: JsonObject;
}

type Needs = GuessEdges & Pick<Edges, "committer" | "random">;

const USAGES: readonly CrossSigningUsage[] = [
  "master",
  "self_signing",
  "user_signing",
];

/**
 * Publishes cross-signing keys. The first ones, and the same ones again, need no
 * authentication; to replace keys, or to add some, takes the password, or an approval
 * where the account has none.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload
 * @returns the challenge that the client must meet first, if any
 */
export async function uploadCrossSigningKeys(
  edges: Needs,
  requester: Requester,
  body: CrossSigningUpload,
  address: string,
): Promise<JsonObject | undefined> {
  const { userId } = requester;
  const rows = await listCrossSigningKeys(edges.db, [userId]);
  const standing = new Map(
    rows.map(({ usage, json }) => [usage, JSON.parse(json) as JsonObject]),
  );
  const given = USAGES.flatMap((usage) => {
    const object = body[`${usage}_key`];
    return object ? [parseCrossSigningKey(userId, usage, object)] : [];
  });
  const keys = await withGoodSignatures(edges, userId, given, standing);
  const news = keys.filter(
    ({ usage, publicKey }) => keyOf(standing, usage) !== publicKey,
  );
  if (news.length === 0) return undefined;
  await assertFreeNames(edges, userId, news);
  const isFirst = !standing.has("master");
  const { keysOpenUntilTs = null, passwordHash = null } =
    (await findUser(edges.db, userId)) ?? {};
  const isOpen = keysOpenUntilTs !== null && keysOpenUntilTs > edges.now();
  if (!isFirst && !isOpen) {
    const outcome = await reauthenticate(
      edges,
      { requester, address, auth: body.auth },
      [
        "POST /keys/device_signing/upload",
        ...news.map(({ usage, publicKey }) => [usage, publicKey]),
      ],
      passwordHash === null ? edges.settings.crossSigningResetUrl : undefined,
    );
    if (outcome.status === "challenged") return outcome.body;
  }
  const signatures = news.flatMap((key) => signaturesByDevices(userId, key));
  const outcome = await edges.committer.commit({
    positions: 1,
    activeUsers: [userId],
    liveDevices: signatures.map(({ deviceId }) => ({ userId, deviceId })),
    // Of first keys at once only one goes without the password.
    idempotency: [
      ...(isFirst ? [firstKeysOf(userId)] : []),
      ...(isOpen ? [openedKeysOf(userId, keysOpenUntilTs)] : []),
    ].map((key) => ({ key, answer: "" })),
    rows: {
      // What an administrator opened is good once.
      ...(isOpen && { userUpdates: [{ userId, keysOpenUntilTs: null }] }),
      crossSigningKeys: news.map(({ usage, object }) => ({
        at: 0,
        userId,
        usage,
        json: canonicalJson(
          usage === "master" ? withSignatures(object, []) : object,
        ),
      })),
      keySignatures: signatures.map(({ row }) => row),
      deviceListChanges: [{ at: 0, userId }],
    },
    wake: await wakeForKeys(edges, userId),
  });
  const isLate =
    outcome.status === "duplicate" &&
    (await listCrossSigningKeys(edges.db, [userId])).length > 0;
  if (isLate) return uploadCrossSigningKeys(edges, requester, body, address);
  if (outcome.status !== "committed") {
    throw new MatrixError("M_UNKNOWN", "The keys could not be stored.");
  }
  return undefined;
}

/** Those of a master key are kept apart from it: each goes with the device that made it. */
function signaturesByDevices(
  userId: string,
  { usage, publicKey, object }: CrossSigningKey,
) {
  if (usage !== "master") return [];
  const signedHash = signedHashOf(object);
  return signaturesBy(object, userId).map(([signingKey, signature]) => ({
    deviceId: signingKey.replace(/^ed25519:/, ""),
    row: {
      ...{ userId, target: publicKey, signer: userId },
      ...{ signingKey, signature, signedHash },
    },
  }));
}

const openedKeysOf = (userId: string, untilTs: number | null): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["opened cross-signing keys", userId, untilTs]))
    .digest()
    .subarray(0, 16);

const firstKeysOf = (userId: string): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["first cross-signing keys", userId]))
    .digest()
    .subarray(0, 16);

const keyOf = (
  standing: ReadonlyMap<CrossSigningUsage, JsonObject>,
  usage: CrossSigningUsage,
): string | undefined => {
  const object = standing.get(usage);
  return object && publicKeyIn(object);
};

/**
 * The keys with those of their signatures that were found good: of the master
 * key by the user's devices, of the others by the master key, which they need.
 */
async function withGoodSignatures(
  { db }: Pick<Edges, "db">,
  userId: string,
  keys: readonly CrossSigningKey[],
  standing: ReadonlyMap<CrossSigningUsage, JsonObject>,
): Promise<CrossSigningKey[]> {
  const master =
    keys.find(({ usage }) => usage === "master")?.publicKey ??
    keyOf(standing, "master");
  if (master === undefined) {
    throw new MatrixError(
      "M_MISSING_PARAM",
      "There is no master key that these keys belong to.",
    );
  }
  const signers = new Map([[`ed25519:${master}`, master]]);
  const devices = new Map<string, string>();
  if (keys.some(({ usage, object }) => usage === "master" && hasAny(object))) {
    for (const { deviceId, json } of await listDeviceKeys(db, [userId])) {
      const key = identityKeyOf(JSON.parse(json) as JsonObject, deviceId);
      if (key !== undefined) devices.set(`ed25519:${deviceId}`, key);
    }
  }
  return keys.map((key) => {
    const known = key.usage === "master" ? devices : signers;
    const good = signaturesBy(key.object, userId).filter(([keyId]) => {
      const publicKey = known.get(keyId);
      return (
        publicKey !== undefined &&
        isSignedJson(key.object, userId, keyId, publicKey)
      );
    });
    if (key.usage !== "master" && good.length === 0) {
      throw new MatrixError(
        "M_INVALID_SIGNATURE",
        `The ${key.usage.replace("_", "-")} key is not signed by the master key.`,
      );
    }
    const signatures = good.map(([keyId, signature]) => ({
      signer: userId,
      keyId,
      signature,
    }));
    return { ...key, object: withSignatures(key.object, signatures) };
  });
}

const hasAny = ({ signatures }: JsonObject): boolean =>
  isJsonObject(signatures) && Object.keys(signatures).length > 0;

/** Signatures name a device or a key: no name may mean both. */
async function assertFreeNames(
  { db }: Pick<Edges, "db">,
  userId: string,
  keys: readonly CrossSigningKey[],
): Promise<void> {
  const devices = await listDevices(db, userId);
  const names = new Set(devices.map(({ deviceId }) => deviceId));
  for (const { publicKey } of keys) {
    if (names.has(publicKey)) {
      throw new MatrixError(
        "M_FORBIDDEN",
        "One of the keys is the same as a device id or as another key.",
      );
    }
    names.add(publicKey);
  }
}
