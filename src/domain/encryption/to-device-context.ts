/** What a sealed to-device message is bound to. */
export const toDeviceContext = (userId: string, deviceId: string): string =>
  `to_device.sealed ${userId} ${deviceId}`;
