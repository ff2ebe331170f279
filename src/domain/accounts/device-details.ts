import type { Edges } from "../../edges.ts";
import type { DeviceRow } from "../../storage/sessions.ts";

/** What of a device is personal; stored sealed. */
export interface DeviceDetails {
  display_name?: string;
  last_seen_ip?: string;
  last_seen_user_agent?: string;
}

/** What sealed device details are bound to. */
export const deviceContext = (userId: string, deviceId: string): string =>
  `devices.sealed ${userId} ${deviceId}`;

/** What is known of devices; nothing where their user's key is destroyed. */
export async function openDetails(
  { keyring }: Pick<Edges, "keyring">,
  rows: readonly DeviceRow[],
): Promise<DeviceDetails[]> {
  const texts = await keyring.openAll(
    rows.map(({ userId, deviceId, keyId, sealed }) => ({
      context: deviceContext(userId, deviceId),
      keyId,
      sealed,
    })),
  );
  return texts.map((text) =>
    text === undefined ? {} : (JSON.parse(text) as DeviceDetails),
  );
}
