import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { listDevices, listTokens } from "../../storage/sessions.ts";
import type { Requester } from "./requester.ts";

type Needs = Pick<Edges, "committer" | "db" | "notifier">;

/**
 * Deletes devices with all that is theirs. Their tokens are dead in every process
 * within a second and their long polls end.
 */
export async function removeDevices(
  edges: Needs,
  userId: string,
  deviceIds: readonly string[],
): Promise<void> {
  if (deviceIds.length === 0) return;
  const tokens = await listTokens(edges.db, userId, deviceIds);
  const outcome = await edges.committer.commit({
    positions: 1,
    rows: {
      removedDevices: deviceIds.map((deviceId) => ({ userId, deviceId })),
      deviceListChanges: [{ at: 0, userId }],
    },
    wake: { users: [userId] },
  });
  if (outcome.status !== "committed") {
    throw new MatrixError(
      "M_UNKNOWN",
      "The devices could not be removed. Try again.",
    );
  }
  edges.notifier.revoke(tokens.map(({ tokenId }) => tokenId));
}

export const logOut = (
  edges: Needs,
  { userId, deviceId }: Requester,
): Promise<void> => removeDevices(edges, userId, [deviceId]);

export async function logOutEverywhere(
  edges: Needs,
  userId: string,
): Promise<void> {
  const devices = await listDevices(edges.db, userId);
  await removeDevices(
    edges,
    userId,
    devices.map(({ deviceId }) => deviceId),
  );
}
