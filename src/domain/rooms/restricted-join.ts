import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { requiredPowerLevel, userPowerLevel } from "../../core/power-levels.ts";
import { listMembersOf, listMembershipsOf } from "../../storage/memberships.ts";
import { isLocalUser } from "./local-user.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import type { RoomIdentity } from "./room-identity.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "settings">;

/**
 * For a join to a restricted room without an invite: the local member who could
 * have invited, where the user is in one of the allowed rooms. Undefined where
 * the room is not restricted. Throws `M_FORBIDDEN` where no allowed room counts.
 * https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms
 */
export async function authoriseRestrictedJoin(
  edges: Needs,
  room: RoomIdentity,
  userId: string,
): Promise<string | undefined> {
  const head = await loadRoomHead(edges, room.roomNid);
  await readState(edges, head, [
    ["m.room.create", ""],
    ["m.room.join_rules", ""],
    ["m.room.power_levels", ""],
  ]);
  const { authorization } = room.rules;
  const content = stateAt(head, "m.room.join_rules", "")?.pdu.content;
  const rule = content?.["join_rule"];
  const isRestricted =
    (authorization.restrictedJoin && rule === "restricted") ||
    (authorization.knockRestricted && rule === "knock_restricted");
  if (!isRestricted) return undefined;

  const joined = await listMembershipsOf(edges.db, userId, ["join"]);
  const allowed = new Set(allowedRooms(content?.["allow"]));
  if (!joined.some(({ roomId }) => allowed.has(roomId))) {
    throw new MatrixError("M_FORBIDDEN", "You are in none of the rooms whose members may join this one.");
  }
  const members = await listMembersOf(edges.db, room.roomNid, ["join"]);
  const create = stateAt(head, "m.room.create", "");
  const levels = stateAt(head, "m.room.power_levels", "");
  if (!create) throw new TypeError("a room without a create event");
  const needed = requiredPowerLevel(room.rules, levels, "invite");
  const authoriser = members.find(
    (member) =>
      isLocalUser(edges.settings, member.userId) &&
      userPowerLevel(room.rules, create, levels, member.userId) >= needed,
  );
  if (!authoriser) {
    throw new MatrixError("M_UNABLE_TO_GRANT_JOIN", "Nobody here has the power to let you into this room.");
  }
  return authoriser.userId;
}

function allowedRooms(allow: unknown): string[] {
  if (!Array.isArray(allow)) return [];
  return allow.flatMap((rule: unknown) => {
    if (typeof rule !== "object" || rule === null) return [];
    const { type, room_id: roomId } = rule as Record<string, unknown>;
    return type === "m.room_membership" && typeof roomId === "string" ? [roomId] : [];
  });
}
