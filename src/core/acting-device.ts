/**
 * The device of an administrator who acts in a user's place bears the administrator's name.
 * Events keep the device that they were sent by, so each tells by itself who sent it.
 */
const PREFIX = "ACTING-";
const NAMED = /^ACTING-[A-Z]+-([A-Za-z0-9_-]+)$/;

/** @param mark what no other device of the user has, of capital letters */
export const actingDevice = (mark: string, administrator: string): string =>
  `${PREFIX}${mark}-${Buffer.from(administrator).toString("base64url")}`;

/** Who acted by a device; undefined for a device of the user's own. */
export function actorOfDevice(deviceId: string): string | undefined {
  if (!deviceId.startsWith(PREFIX)) return undefined;
  const [, name] = NAMED.exec(deviceId) ?? [];
  return name === undefined
    ? undefined
    : Buffer.from(name, "base64url").toString();
}

/** Whether nobody names their own device so. */
export const isActingName = (deviceId: string): boolean =>
  deviceId.startsWith(PREFIX);
