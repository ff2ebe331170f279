import { isJsonObject, type JsonObject } from "./json.ts";
import type { RoomRules } from "./room-version.ts";

/**
 * The rooms whose members may join, by the content of `m.room.join_rules`; undefined
 * where the join rule is another one, or none that the room version knows.
 * https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms
 */
export function allowedRoomIds(
  { authorization }: RoomRules,
  content: JsonObject | undefined,
): string[] | undefined {
  const rule = content?.["join_rule"];
  const isRestricted =
    (authorization.restrictedJoin && rule === "restricted") ||
    (authorization.knockRestricted && rule === "knock_restricted");
  if (!isRestricted) return undefined;
  const allow = content?.["allow"];
  if (!Array.isArray(allow)) return [];
  return allow.flatMap((entry) => {
    if (!isJsonObject(entry)) return [];
    const { type, room_id: roomId } = entry;
    const isRoom = type === "m.room_membership" && typeof roomId === "string";
    return isRoom && roomId.startsWith("!") && !roomId.includes("\0")
      ? [roomId]
      : [];
  });
}
