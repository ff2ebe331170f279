import type { Edges } from "../../../edges.ts";
import { DEVICE_LISTS_TOPIC } from "../../../storage/notifier.ts";
import type { Span } from "../../../storage/span.ts";
import type { Requester } from "../../accounts/requester.ts";
import { readKeyCountsOnce } from "../device-memory.ts";
import { type DeviceLists, readDeviceListsBetween } from "../device-lists.ts";
import { readRoomDeltas } from "../room-delta.ts";
import type { UserView } from "../user-view.ts";
import type { SlidingPos } from "./sliding-pos.ts";

type Needs = Pick<
  Edges,
  "db" | "keyring" | "memory" | "notifier" | "now" | "settings"
>;

const NO_CHANGES: DeviceLists = { changed: [], left: [] };
const MOST_DELTAS = 20;

/** The extension `e2ee` as JSON text, whether it has news, and what stands for its counts. */
export async function extendE2ee(
  edges: Needs,
  requester: Requester,
  view: UserView,
  pos: SlidingPos | null,
): Promise<{ text: string; isEmpty: boolean; keysDigest: number }> {
  const lists = pos
    ? await listsSince(edges, requester.userId, view, pos.position)
    : NO_CHANGES;
  const keys = await readKeyCountsOnce(edges, requester, view.upTo);
  const text = JSON.stringify({
    device_lists: lists,
    device_one_time_keys_count: keys.counts,
    device_unused_fallback_key_types: keys.fallback,
  });
  const isEmpty =
    lists.changed.length === 0 &&
    lists.left.length === 0 &&
    pos?.keysDigest === keys.digest;
  return { text, isEmpty, keysDigest: keys.digest };
}

async function listsSince(
  edges: Needs,
  userId: string,
  { joined, upTo }: UserView,
  since: number,
): Promise<DeviceLists> {
  if (await isQuiet(edges, userId, joined, { since, upTo })) return NO_CHANGES;
  return readDeviceListsBetween(edges.db, userId, { after: since, upTo });
}

/** Whether it is known that no keys changed, and that nobody came to rooms of the user's or left them. */
async function isQuiet(
  edges: Needs,
  userId: string,
  joined: UserView["joined"],
  { since, upTo }: { since: number; upTo: number },
): Promise<boolean> {
  const { notifier } = edges;
  if (since > upTo || notifier.isTouched(userId, since)) return false;
  if (notifier.isTouched(DEVICE_LISTS_TOPIC, since)) return false;
  const all = notifier.spansBetween(since, upTo);
  if (!all) return false;
  const spans = new Map<number, Span>();
  for (const [roomNid, span] of all)
    if (joined.has(roomNid)) spans.set(roomNid, span);
  if (spans.size > MOST_DELTAS) return false;
  const deltas = await readRoomDeltas(edges, spans);
  return [...deltas.values()].every((delta) => delta !== null);
}
