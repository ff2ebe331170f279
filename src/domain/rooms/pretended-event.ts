import { createHmac } from "node:crypto";
import { findRoomRules } from "../../core/room-version.ts";
import type { Edges } from "../../edges.ts";
import type { Requester } from "../accounts/requester.ts";

/** The id of a room that there is not, in the form of a version; undefined where there is no such version. */
export function findPretendedRoomId(
  { random, settings }: Pick<Edges, "random" | "settings">,
  version: string,
): string | undefined {
  const rules = findRoomRules(version);
  if (!rules) return undefined;
  return rules.roomIdFormat === "create-hash"
    ? `!${random.token(32)}`
    : `!${random.letters(18)}:${settings.serverName}`;
}

/**
 * The id of an event that there is not: what is answered to who is shadow-banned. The same
 * request is answered with the same id.
 */
export const pretendedEventId = (
  { settings }: Pick<Edges, "settings">,
  { userId, deviceId }: Pick<Requester, "userId" | "deviceId">,
  ...request: readonly unknown[]
): string => {
  const digest = createHmac("sha256", settings.password.pepper)
    .update(JSON.stringify(["pretended event", userId, deviceId, ...request]))
    .digest("base64url");
  return `$${digest}`;
};
