/** What of a device is personal; stored sealed. */
export interface DeviceDetails {
  display_name?: string;
  last_seen_ip?: string;
  last_seen_user_agent?: string;
}

/** What sealed device details are bound to. */
export const deviceContext = (userId: string, deviceId: string): string =>
  `devices.sealed ${userId} ${deviceId}`;
