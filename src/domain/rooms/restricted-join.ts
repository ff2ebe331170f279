import type { Edges } from "../../edges.ts";
import { allowedRoomIds } from "../../core/allowed-rooms.ts";
import type { RoomEvent } from "../../core/event.ts";
import { MatrixError } from "../../core/errors.ts";
import { isUserId } from "../../core/ids.ts";
import { isJsonObject } from "../../core/json.ts";
import {
  creatorsOf,
  requiredPowerLevel,
  userPowerLevel,
} from "../../core/power-levels.ts";
import {
  isUserJoinedToAny,
  listJoinedAmong,
} from "../../storage/memberships.ts";
import { notLetIn } from "./append-event.ts";
import { isLocalUser } from "./local-user.ts";
import {
  loadRoomHead,
  readState,
  type RoomHead,
  stateAt,
} from "./room-head.ts";
import type { RoomIdentity } from "./room-identity.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier" | "settings">;

/** Members without a power of their own that are looked at: the first will do as a rule. */
const MOST_OTHERS = 100;

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
  const content = stateAt(head, "m.room.join_rules", "")?.pdu.content;
  const allowed = allowedRoomIds(room.rules, content);
  if (allowed === undefined) return undefined;

  if (!(await isUserJoinedToAny(edges.db, userId, allowed))) {
    throw notLetIn();
  }
  const authoriser = await findAuthoriser(edges, room, head);
  if (authoriser !== undefined) return authoriser;
  throw new MatrixError(
    "M_UNABLE_TO_GRANT_JOIN",
    "Nobody here has the power to let you into this room.",
  );
}

/** A member of this server who may invite: those with a power of their own first. */
async function findAuthoriser(
  edges: Needs,
  { roomNid, rules }: RoomIdentity,
  head: RoomHead,
): Promise<string | undefined> {
  const create = stateAt(head, "m.room.create", "");
  const levels = stateAt(head, "m.room.power_levels", "");
  if (!create) throw new TypeError("a room without a create event");
  const needed = requiredPowerLevel(rules, levels, "invite");
  const members = await listJoinedAmong(
    edges.db,
    roomNid,
    namedIn(levels, creatorsOf(rules, create)),
    `:${edges.settings.serverName}`,
    MOST_OTHERS,
  );
  return members.find(
    (userId) =>
      isLocalUser(edges.settings, userId) &&
      userPowerLevel(rules, create, levels, userId) >= needed,
  );
}

function namedIn(levels: RoomEvent | undefined, creators: string[]): string[] {
  const users = levels?.pdu.content["users"];
  const named = isJsonObject(users) ? Object.keys(users) : [];
  return [...creators, ...named].filter(isUserId);
}
