import { createHash, createHmac } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { PUSH_SHARDS } from "../../storage/push-shards.ts";
import {
  hasOtherPusher,
  listPushers,
  type PusherKind,
  type PusherRow,
} from "../../storage/pushers.ts";
import type { Sealed } from "../../storage/write.ts";
import type { Requester } from "../accounts/requester.ts";
import { assertOwnAddress } from "../accounts/third-party-ids.ts";
import { assertGateway } from "./push-gateway.ts";

/** What a client says of a pusher; sealed as a whole. */
export interface PusherDetails {
  app_id: string;
  pushkey: string;
  app_display_name: string;
  device_display_name: string;
  profile_tag?: string;
  lang: string;
  data: JsonObject;
}

/** A pusher as its owner sees it (MSC3881). */
export type PusherView = PusherDetails & {
  kind: PusherKind;
  "org.matrix.msc3881.enabled": boolean;
  "org.matrix.msc3881.device_id": string;
};

export interface WantedPusher {
  kind: PusherKind;
  details: PusherDetails;
  isEnabled: boolean;
  /** Other users of the same app and pushkey keep theirs. */
  isAppended: boolean;
}

/** Woken, like a user, where somebody's pusher has to be looked at anew. */
export const PUSHERS_TOPIC = "pushers";

const MAX_ATTEMPTS = 10;

type Reads = Pick<Edges, "db" | "keyring">;
type Writes = Reads &
  Pick<Edges, "committer" | "egress" | "nids" | "now" | "settings">;

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers */
export async function listOwnPushers(
  edges: Reads,
  userId: string,
): Promise<PusherView[]> {
  const rows = await listPushers(edges.db, userId);
  const details = await openPushers(edges, ofUser(userId, rows));
  return rows.flatMap((row, i) => {
    const opened = details[i];
    return opened ? [viewOf(row, opened)] : [];
  });
}

const viewOf = (
  { kind, isEnabled, deviceId }: PusherRow,
  details: PusherDetails,
): PusherView => ({
  ...details,
  kind,
  "org.matrix.msc3881.enabled": isEnabled,
  "org.matrix.msc3881.device_id": deviceId,
});

/**
 * Sets a pusher, or changes the one that is there: which a user's other devices may do
 * too, and then it stays the pusher of the device that made it.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset
 */
export async function setPusher(
  edges: Writes,
  { userId, deviceId }: Requester,
  wanted: WantedPusher,
): Promise<void> {
  const { kind, details, isEnabled, isAppended } = wanted;
  if (kind === "http") assertGateway(edges, details.data);
  else await assertOwnAddress(edges, userId, details.pushkey);
  const { app_id: appId, pushkey } = details;
  const keyHash = hashOf(edges.settings, appId, pushkey);
  if (await stands(edges, userId, keyHash, wanted)) return;
  const context = pusherContext(userId, keyHash);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const text = JSON.stringify(details);
    const sealed = await edges.keyring.sealForUser(userId, context, text);
    const [pusherId] = await edges.nids.take(1);
    const outcome = await edges.committer.commit({
      positions: 1,
      activeUsers: [userId],
      liveDevices: [{ userId, deviceId }],
      rows: {
        pushers: [
          {
            at: 0,
            pusherId: pusherId!,
            userId,
            deviceId,
            keyHash,
            kind,
            isEnabled,
            shard: shardOf(userId),
            isAppended,
            createdTs: edges.now(),
            ...sealed,
          },
        ],
      },
      wake: { users: [userId, PUSHERS_TOPIC] },
    });
    if (outcome.status === "committed") return;
    if (outcome.status !== "conflict" || outcome.over !== "key") break;
    edges.keyring.forget([sealed.keyId]);
  }
  throw new MatrixError("M_UNKNOWN_TOKEN", "This session has ended.");
}

/** Takes a pusher away; one that is not there is gone already. */
export async function removePusher(
  { committer, settings }: Pick<Edges, "committer" | "settings">,
  userId: string,
  { appId, pushkey }: { appId: string; pushkey: string },
): Promise<void> {
  const keyHash = hashOf(settings, appId, pushkey);
  await committer.commit({
    positions: 1,
    rows: { removedPushers: [{ userId, keyHash }] },
    wake: { users: [userId] },
  });
}

/** What pushers hold, in the order of their rows; undefined where it cannot be read. */
export async function openPushers(
  { keyring }: Pick<Edges, "keyring">,
  rows: readonly ({ userId: string; keyHash: Uint8Array } & Sealed)[],
): Promise<(PusherDetails | undefined)[]> {
  const texts = await keyring.openAll(
    rows.map(({ userId, keyHash, keyId, sealed }) => ({
      context: pusherContext(userId, keyHash),
      keyId,
      sealed,
    })),
  );
  return texts.map((text) =>
    text === undefined ? undefined : (JSON.parse(text) as PusherDetails),
  );
}

const ofUser = (userId: string, rows: readonly PusherRow[]) =>
  rows.map((row) => ({ ...row, userId }));

const pusherContext = (userId: string, keyHash: Uint8Array): string =>
  `pushers.sealed ${userId} ${Buffer.from(keyHash).toString("hex")}`;

/** Clients set their pushers anew at each start: mostly there is nothing to do. */
async function stands(
  edges: Reads,
  userId: string,
  keyHash: Uint8Array,
  { kind, details, isEnabled, isAppended }: WantedPusher,
): Promise<boolean> {
  const rows = await listPushers(edges.db, userId, keyHash);
  const [known] = rows;
  if (known?.kind !== kind || known.isEnabled !== isEnabled) return false;
  const [opened] = await openPushers(edges, ofUser(userId, rows));
  if (JSON.stringify(opened) !== JSON.stringify(details)) return false;
  return isAppended || !(await hasOtherPusher(edges.db, userId, keyHash));
}

const hashOf = (
  { password: { pepper } }: Edges["settings"],
  appId: string,
  pushkey: string,
): Uint8Array =>
  createHmac("sha256", pepper)
    .update(JSON.stringify(["pusher", appId, pushkey]))
    .digest();

const shardOf = (userId: string): number =>
  createHash("sha256").update(userId).digest()[0]! % PUSH_SHARDS;
