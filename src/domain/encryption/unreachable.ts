import type { Settings } from "../../edges.ts";
import { isUserId, serverNameOf } from "../../core/ids.ts";
import { emptyJsonObject, type JsonObject } from "../../core/json.ts";
import { isLocalUser } from "../rooms/local-user.ts";

/** Divides user ids: ours, and the servers of the others, none of which is reached yet. */
export function divideUsers(
  settings: Pick<Settings, "serverName">,
  userIds: readonly string[],
): { local: string[]; failures: JsonObject } {
  const local: string[] = [];
  const failures = emptyJsonObject();
  for (const userId of userIds) {
    if (!isUserId(userId)) continue;
    if (isLocalUser(settings, userId)) local.push(userId);
    else {
      failures[serverNameOf(userId) ?? ""] = {
        status: 503,
        message: "This server cannot be reached.",
      };
    }
  }
  return { local, failures };
}
