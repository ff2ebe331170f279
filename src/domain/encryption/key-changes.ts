import type { Edges } from "../../edges.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import type { Requester } from "../accounts/requester.ts";
import { readDeviceLists, type DeviceLists } from "../sync/device-section.ts";
import { planRooms } from "../sync/room-plan.ts";
import { parseSyncToken } from "../sync/sync-token.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

/**
 * Whose keys changed between two sync tokens: what the syncs between them told.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges
 */
export async function readKeyChanges(
  edges: Needs,
  { userId }: Requester,
  tokens: { from: string; to: string },
): Promise<DeviceLists> {
  const from = parseSyncToken(tokens.from, "from").position;
  const to = parseSyncToken(tokens.to, "to").position;
  if (to <= from) return { changed: [], left: [] };
  await edges.notifier.caughtUp(to);
  const standings = await listMembershipsOf(edges.db, userId);
  const known = standings.filter(({ position }) => position <= to);
  const plan = await planRooms(edges, userId, known, from, to, {
    isFullState: false,
    includeLeft: false,
    also: new Set(),
  });
  return readDeviceLists(edges, userId, plan, from, to);
}
