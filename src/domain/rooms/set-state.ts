import type { StateLookup } from "../../core/auth/check.ts";
import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { creatorsOf } from "../../core/power-levels.ts";
import { listAliases } from "../../storage/aliases.ts";
import type { Requester } from "../accounts/requester.ts";
import { addedAliases, assertPointing } from "./canonical-alias.ts";
import { assertStateContent } from "./check-state-content.ts";
import { getJoinedRoom } from "./joined-room.ts";
import type { Proposal, Transaction } from "./proposal.ts";
import type { RoomIdentity } from "./room-identity.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";
import { setMembershipByState } from "./state-membership.ts";

/**
 * Sets a state event; the same content as stands already makes no new event.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey
 */
export async function setRoomState(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  state: { type: string; stateKey: string; content: JsonObject },
  transaction?: Transaction,
): Promise<string> {
  const { type, stateKey, content } = state;
  const { userId } = requester;
  if (type === "m.room.member") {
    return setMembershipByState(edges, requester, roomId, stateKey, content);
  }
  const room = await getJoinedRoom(edges, userId, roomId);
  assertStateContent(edges.settings, room.rules, type, content);
  if (type === "m.room.canonical_alias" && stateKey === "") {
    await assertAliases(edges, room, content);
  }
  if (type === "m.room.power_levels") {
    await assertNoCreators(edges, room, content);
  }
  const proposal: Proposal = {
    draft: { type, sender: userId, stateKey, content },
    skipUnchanged: true,
    ...(transaction && { transaction }),
  };
  const [result] = await writeToRoom(edges, room.roomNid, [proposal]);
  return result!.eventId;
}

/** State of the room as it is now; what is decided by it may be old when the event is built. */
async function readNow(
  edges: WriterEdges,
  { roomNid }: RoomIdentity,
  type: string,
): Promise<ReturnType<StateLookup>> {
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, [[type, ""]]);
  return stateAt(head, type, "");
}

/** [Version 12] The creators have no level of their own. */
async function assertNoCreators(
  edges: WriterEdges,
  room: RoomIdentity,
  { users }: JsonObject,
): Promise<void> {
  if (!room.rules.authorization.explicitlyPrivilegedCreators) return;
  const create = await readNow(edges, room, "m.room.create");
  const creators = create ? creatorsOf(room.rules, create) : [];
  if (
    isJsonObject(users) &&
    creators.some((userId) => Object.hasOwn(users, userId))
  ) {
    throw new MatrixError(
      "M_BAD_JSON",
      "The room's creators have all power and cannot be given a level.",
    );
  }
}

/** New aliases must exist and point to the room; what stood before may stay. */
async function assertAliases(
  edges: WriterEdges,
  room: RoomIdentity,
  content: JsonObject,
): Promise<void> {
  const standing = await readNow(edges, room, "m.room.canonical_alias");
  const added = addedAliases(content, standing?.pdu.content);
  const rows = await listAliases(edges.db, added);
  const own = rows.filter(({ roomNid }) => roomNid === room.roomNid);
  assertPointing(added, new Set(own.map(({ alias }) => alias)));
}
