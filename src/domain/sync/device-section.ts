import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  countOneTimeKeys,
  listToDevice,
  listUnusedFallbackAlgorithms,
} from "../../storage/sync-extras.ts";
import { toDeviceContext } from "../encryption/to-device-context.ts";
import type { Requester } from "../accounts/requester.ts";
import { readDeviceListsOf, type DeviceLists } from "./device-lists.ts";
import { changedRooms, type SyncPlan } from "./room-plan.ts";

type Needs = Pick<Edges, "db" | "keyring">;

const MOST_TO_DEVICE = 100;

export interface ToDevice {
  events: string[];
  /** Up to where they reach. */
  position: number;
  /** There are none that the client has not had. */
  isClear: boolean;
}

/** Messages for the device, oldest first. */
export async function readToDevice(
  { db, keyring }: Needs,
  { userId, deviceId }: Requester,
  after: number,
  upTo: number,
  most = MOST_TO_DEVICE,
): Promise<ToDevice> {
  const rows = await listToDevice(db, userId, deviceId, {
    after,
    upTo,
    limit: most + 1,
  });
  let kept = rows;
  let position = upTo;
  if (rows.length > most) {
    // Messages of one position go together, so that the token can name it.
    const cut = rows[most]!.position;
    const whole = rows.filter((row) => row.position < cut);
    kept = whole.length > 0 ? whole : rows;
    position = kept[kept.length - 1]!.position;
  }
  const contents = await keyring.openAll(
    kept.map(({ keyId, sealed }) => ({
      context: toDeviceContext(userId, deviceId),
      keyId,
      sealed,
    })),
  );
  return {
    events: contents.filter((content) => content !== undefined),
    position,
    isClear: rows.length === 0,
  };
}

/** What a sync tells of others' keys, and of the user's own. */
export function readDeviceLists(
  { db }: Pick<Edges, "db">,
  userId: string,
  plan: SyncPlan,
  since: number,
  upTo: number,
): Promise<DeviceLists> {
  const { newlyJoined: joined, newlyLeft: left } = plan;
  const isNew = new Set(joined);
  const kept = changedRooms(plan).filter((roomNid) => !isNew.has(roomNid));
  const span = { after: since, upTo };
  return readDeviceListsOf(db, userId, { joined, left, kept }, span);
}

export interface KeyCounts {
  counts: Record<string, number>;
  fallback: string[];
  /** Another one where the counts are others. */
  digest: number;
}

export async function readKeyCounts(
  { db }: Pick<Edges, "db">,
  { userId, deviceId }: Requester,
): Promise<KeyCounts> {
  const rows = await countOneTimeKeys(db, userId, deviceId);
  const counts: Record<string, number> = { signed_curve25519: 0 };
  for (const { algorithm, count } of rows) counts[algorithm] = count;
  const fallback = await listUnusedFallbackAlgorithms(db, userId, deviceId);
  return { counts, fallback, digest: digestOf({ counts, fallback }) };
}

const digestOf = (value: JsonObject): number =>
  createHash("sha256").update(canonicalJson(value)).digest().readUInt32BE();
