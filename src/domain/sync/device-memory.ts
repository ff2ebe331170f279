import type { Edges } from "../../edges.ts";
import { deleteToDevice } from "../../storage/sync-extras.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import type { Requester } from "../accounts/requester.ts";
import { readKeyCounts, type KeyCounts } from "./device-section.ts";

/** What is remembered of a device, so that a sync without news asks nothing. */
interface DeviceMemory {
  /** No message for it is stored at or below this position, nor ever will be. */
  clearUpTo: number;
  keys: { counts: KeyCounts; at: number; sinceTs: number } | undefined;
}

const devices = slot(
  () => new WeightedCache<string, DeviceMemory>(100_000, () => 1),
);

type Device = Pick<Requester, "userId" | "deviceId">;
type Needs = Pick<Edges, "db" | "memory" | "notifier" | "now">;

/** A claim whose news was lost with its process is told after this time at the latest. */
const LONGEST_MS = 60_000;

function memoryOf(
  { memory }: Pick<Edges, "memory">,
  { userId, deviceId }: Device,
): DeviceMemory {
  const cache = memory.of(devices);
  const key = `${deviceId} ${userId}`;
  let known = cache.get(key);
  if (!known) cache.set(key, (known = { clearUpTo: 0, keys: undefined }));
  return known;
}

/** The client came back with a token that says it has the messages up to `position`. */
export async function forgetReceived(
  edges: Needs,
  device: Device,
  position: number,
): Promise<void> {
  if (memoryOf(edges, device).clearUpTo >= position) return;
  await deleteToDevice(edges.db, device.userId, device.deviceId, position);
}

/** What was received is deleted, and up to `position` there is no other message. */
export function noteClear(
  edges: Pick<Edges, "memory">,
  device: Device,
  position: number,
): void {
  const known = memoryOf(edges, device);
  known.clearUpTo = Math.max(known.clearUpTo, position);
}

/** Whether it is known without asking that none is stored. */
export function hasNoMessages(
  edges: Pick<Edges, "memory" | "notifier">,
  device: Device,
): boolean {
  const { clearUpTo } = memoryOf(edges, device);
  return clearUpTo > 0 && !edges.notifier.isTouched(device.userId, clearUpTo);
}

/** The counts at `upTo`, from memory while nothing has touched the user. */
export async function readKeyCountsOnce(
  edges: Needs,
  device: Requester,
  upTo: number,
): Promise<KeyCounts> {
  const known = memoryOf(edges, device);
  const nowTs = edges.now();
  const { keys } = known;
  if (
    keys &&
    Math.abs(nowTs - keys.sinceTs) < LONGEST_MS &&
    !edges.notifier.isTouched(device.userId, keys.at)
  ) {
    keys.at = Math.max(keys.at, upTo);
    return keys.counts;
  }
  const counts = await readKeyCounts(edges, device);
  known.keys = { counts, at: upTo, sinceTs: nowTs };
  return counts;
}
