import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import { findDehydratedDevice } from "../../../storage/dehydrated-devices.ts";
import {
  findDevice,
  listDevices,
  type DeviceRow,
} from "../../../storage/sessions.ts";
import { removeDevices } from "../../accounts/close-session.ts";
import {
  deviceContext,
  openDetails,
  type DeviceDetails,
} from "../../accounts/device-details.ts";
import { renameDevice } from "../../accounts/devices.ts";
import {
  assertDeviceId,
  assertFreeName,
  assertRoomForDevice,
} from "../../accounts/open-session.ts";
import type { Administrator } from "../change-authority.ts";
import { getAccountRow } from "./account.ts";
import { commitAct, recordOf, type ActEdges } from "./act.ts";

type Reads = Pick<Edges, "db" | "keyring" | "settings">;

export interface SeenDevice extends DeviceDetails {
  userId: string;
  deviceId: string;
  lastSeenTs: number | null;
  isDehydrated: boolean;
}

export async function readDevices(
  edges: Reads,
  userId: string,
): Promise<SeenDevice[]> {
  await getAccountRow(edges, userId);
  return see(edges, userId, await listDevices(edges.db, userId));
}

/** @throws MatrixError M_NOT_FOUND */
export async function readDevice(
  edges: Reads,
  userId: string,
  deviceId: string,
): Promise<SeenDevice> {
  await getAccountRow(edges, userId);
  const row = await findDevice(edges.db, userId, deviceId);
  const [device] = row ? await see(edges, userId, [row]) : [];
  if (device) return device;
  throw new MatrixError("M_NOT_FOUND", "There is no such device.");
}

async function see(
  edges: Reads,
  userId: string,
  rows: readonly DeviceRow[],
): Promise<SeenDevice[]> {
  const details = await openDetails(edges, rows);
  const asleep = await findDehydratedDevice(edges.db, userId);
  return rows.map(({ deviceId, lastSeenTs }, i) => ({
    ...details[i],
    userId,
    deviceId,
    lastSeenTs,
    isDehydrated: asleep?.deviceId === deviceId,
  }));
}

/** A device without a session, for somebody to log in to; one that is there stays as it is. */
export async function makeDevice(
  edges: Reads & ActEdges,
  by: Administrator,
  userId: string,
  deviceId: string,
): Promise<void> {
  await getAccountRow(edges, userId);
  assertDeviceId(deviceId);
  if (await findDevice(edges.db, userId, deviceId)) return;
  await assertRoomForDevice(edges, userId);
  await assertFreeName(edges, userId, deviceId);
  const context = deviceContext(userId, deviceId);
  const sealed = await edges.keyring.sealForUser(userId, context, "{}");
  const createdTs = edges.now();
  await commitAct(
    edges,
    by,
    { target: userId, details: { device: deviceId, made: true } },
    {
      activeUsers: [userId],
      rows: {
        devices: [{ userId, deviceId, createdTs, ...sealed }],
        deviceListChanges: [{ at: 0, userId }],
      },
    },
  );
}

export async function nameDevice(
  edges: Reads & ActEdges,
  by: Administrator,
  userId: string,
  deviceId: string,
  displayName: string,
): Promise<void> {
  await getAccountRow(edges, userId);
  const details = { device: deviceId, renamed: true };
  const record = recordOf(edges, by, { target: userId, details });
  await renameDevice(edges, userId, deviceId, displayName, [record]);
}

/** Ends sessions with all that is theirs; what is not there is gone already. */
export async function endDevices(
  edges: Reads & ActEdges & Pick<Edges, "notifier">,
  by: Administrator,
  userId: string,
  deviceIds: readonly string[],
): Promise<void> {
  await getAccountRow(edges, userId);
  const details = { removed_devices: [...deviceIds] };
  await removeDevices(edges, userId, deviceIds, {
    audit: [recordOf(edges, by, { target: userId, details })],
  });
}
