import type { Edges } from "../../edges.ts";
import { listDevicesSeenLast } from "../../storage/sessions.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { openDetails } from "./device-details.ts";

const MOST_DEVICES = 20;

/** Whether one of the devices of a user that were seen last was seen at this address. */
export async function isKnownAddress(
  edges: Pick<Edges, "db" | "keyring">,
  userId: string,
  address: string,
): Promise<boolean> {
  const rows = await listDevicesSeenLast(edges.db, userId, MOST_DEVICES);
  const details = await openDetails(edges, rows);
  return details.some(
    ({ last_seen_ip: ip }) => ip !== undefined && limitKeyOf(ip) === address,
  );
}
