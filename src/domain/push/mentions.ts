import type { Pdu } from "../../core/event.ts";
import { isJsonObject } from "../../core/json.ts";

/** Whom an event mentions by name, besides who sent it. */
export function mentionsIn({ content, sender }: Pdu): string[] {
  const mentions = content["m.mentions"];
  const userIds = isJsonObject(mentions) ? mentions["user_ids"] : undefined;
  if (!Array.isArray(userIds)) return [];
  return userIds.filter(
    (userId): userId is string =>
      typeof userId === "string" && userId !== sender,
  );
}
