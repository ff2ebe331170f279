import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { listAccountDataTypes } from "../../storage/account-data.ts";
import { listDevices, listTokens } from "../../storage/sessions.ts";
import type { RecordedWrite } from "../../storage/write.ts";
import { wakeForKeys } from "../encryption/tell-key-change.ts";
import { makeAnew } from "../rooms/make-anew.ts";
import { LostRace } from "../rooms/room-queue.ts";
import type { Requester } from "./requester.ts";

type Needs = Pick<Edges, "committer" | "db" | "notifier">;

/** Account data that clients keep for one device. */
const OF_A_DEVICE = "org.matrix.msc3890.local_notification_settings.";

/**
 * Deletes devices with all that is theirs. When it resolves their tokens are dead
 * in every process, and their long polls end.
 * @param also commits with it
 */
export async function removeDevices(
  edges: Needs,
  userId: string,
  deviceIds: readonly string[],
  also: Omit<RecordedWrite, "positions"> = {},
): Promise<void> {
  const tokens = await listTokens(edges.db, userId, deviceIds);
  const types = deviceIds.map((deviceId) => OF_A_DEVICE + deviceId);
  const stale = await listAccountDataTypes(edges.db, userId, 0, types);
  const isAny = deviceIds.length > 0;
  const outcome = await edges.committer.commit({
    positions: 1,
    ...also,
    rows: {
      removedDevices: deviceIds.map((deviceId) => ({ userId, deviceId })),
      deviceListChanges: isAny ? [{ at: 0, userId }] : [],
      accountData: stale.map((type) => ({
        at: 0,
        userId,
        roomNid: 0,
        type,
        keyId: 0,
        sealed: null,
      })),
      ...also.rows,
    },
    wake: isAny ? await wakeForKeys(edges, userId) : { users: [userId] },
  });
  if (outcome.status === "conflict" && outcome.over === "authority")
    throw new LostRace("Who may do what changed.");
  if (outcome.status === "conflict" && outcome.over === "other-device")
    throw new LostRace("Somebody logged in just now.");
  if (outcome.status !== "committed") {
    throw new MatrixError(
      "M_USER_DEACTIVATED",
      "This account has been deactivated.",
    );
  }
  await edges.notifier.revoke(tokens.map(({ tokenId }) => tokenId));
}

export const logOut = (
  edges: Needs,
  { userId, deviceId }: Requester,
): Promise<void> => removeDevices(edges, userId, [deviceId]);

/**
 * Deletes all devices of a user, those too that are opened while it goes on.
 * @param make what commits with it, of the devices that are there
 */
export async function removeAllDevices<
  Made extends { also: Omit<RecordedWrite, "positions"> },
>(
  edges: Needs,
  userId: string,
  make: (deviceIds: string[]) => Made,
): Promise<Made> {
  return makeAnew(async () => {
    const deviceIds = await listDeviceIds(edges, userId);
    const made = make(deviceIds);
    await removeDevices(edges, userId, deviceIds, {
      ...made.also,
      onlyDevices: { userId, deviceIds },
    });
    return made;
  });
}

export async function logOutEverywhere(
  edges: Needs,
  userId: string,
): Promise<void> {
  await removeAllDevices(edges, userId, () => ({ also: {} }));
}

export async function listDeviceIds(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<string[]> {
  const devices = await listDevices(db, userId);
  return devices.map(({ deviceId }) => deviceId);
}
