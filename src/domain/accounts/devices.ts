import type { AuditDraft } from "../../storage/audit-draft.ts";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  findDevice,
  listDevices,
  type DeviceRow,
} from "../../storage/sessions.ts";
import { wakeForKeys } from "../encryption/tell-key-change.ts";
import {
  deviceContext,
  type DeviceDetails,
  openDetails,
} from "./device-details.ts";

/** A device as its owner sees it. */
export interface DeviceView {
  device_id: string;
  display_name?: string;
  last_seen_ip?: string;
  last_seen_ts?: number;
  /** Element names sessions by it. */
  "org.matrix.msc3852.last_seen_user_agent"?: string;
}

type Reads = Pick<Edges, "db" | "keyring">;

export async function listOwnDevices(
  edges: Reads,
  userId: string,
): Promise<DeviceView[]> {
  return viewDevices(edges, await listDevices(edges.db, userId));
}

/** Throws `M_NOT_FOUND`. */
export async function getOwnDevice(
  edges: Reads,
  userId: string,
  deviceId: string,
): Promise<DeviceView> {
  const row = await findDevice(edges.db, userId, deviceId);
  if (!row) throw notFound();
  const [view] = await viewDevices(edges, [row]);
  return view!;
}

/** Whoever shares an encrypted room sees the name too, so they are told. */
export async function renameDevice(
  edges: Reads & Pick<Edges, "committer">,
  userId: string,
  deviceId: string,
  displayName: string,
  audit: readonly AuditDraft[] = [],
): Promise<void> {
  const row = await findDevice(edges.db, userId, deviceId);
  if (!row) throw notFound();
  const [before] = await openDetails(edges, [row]);
  const details: DeviceDetails = { ...before, display_name: displayName };
  const context = deviceContext(userId, deviceId);
  const sealed = await edges.keyring.sealForUser(
    userId,
    context,
    JSON.stringify(details),
  );
  const { createdTs } = row;
  const outcome = await edges.committer.commit({
    positions: 1,
    liveDevices: [{ userId, deviceId }],
    audit,
    rows: {
      devices: [{ userId, deviceId, createdTs, ...sealed }],
      deviceListChanges: [{ at: 0, userId }],
    },
    wake: await wakeForKeys(edges, userId),
  });
  if (outcome.status !== "committed") throw notFound();
}

async function viewDevices(
  edges: Reads,
  rows: readonly DeviceRow[],
): Promise<DeviceView[]> {
  const details = await openDetails(edges, rows);
  return rows.map(({ deviceId, lastSeenTs }, i) => {
    const { last_seen_user_agent: userAgent, ...others } = details[i]!;
    return {
      device_id: deviceId,
      ...others,
      ...(userAgent !== undefined && {
        "org.matrix.msc3852.last_seen_user_agent": userAgent,
      }),
      ...(lastSeenTs !== null && { last_seen_ts: lastSeenTs }),
    };
  });
}

const notFound = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such device.");
