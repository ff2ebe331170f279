import type { Edges } from "../../edges.ts";
import type { Requester } from "../accounts/requester.ts";
import {
  readDeviceListsBetween,
  type DeviceLists,
} from "../sync/device-lists.ts";
import { readEpochOnce } from "../sync/epoch.ts";
import { parseSyncToken } from "../sync/sync-token.ts";

type Needs = Pick<Edges, "db" | "memory" | "notifier">;

/**
 * Whose keys changed between two sync tokens: what one sync from the one to the other
 * would have told.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges
 */
export async function readKeyChanges(
  edges: Needs,
  { userId }: Requester,
  tokens: { from: string; to: string },
): Promise<DeviceLists> {
  const from = parseSyncToken(tokens.from, "from");
  const to = parseSyncToken(tokens.to, "to");
  // Of a time that a restore has ended nothing is known: all may have changed since.
  const epoch = await readEpochOnce(edges);
  const after = from.epoch === epoch ? from.position : 0;
  const upTo =
    to.epoch === epoch ? to.position : await edges.notifier.refresh();
  if (upTo <= after) return { changed: [], left: [] };
  await edges.notifier.caughtUp(upTo);
  return readDeviceListsBetween(edges.db, userId, { after, upTo });
}
