import { createHmac } from "node:crypto";
import type { Edges } from "../../edges.ts";
import type { Requester } from "../accounts/requester.ts";

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
