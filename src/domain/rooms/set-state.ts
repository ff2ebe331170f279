import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { listAliases } from "../../storage/aliases.ts";
import type { Requester } from "../accounts/requester.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import type { RoomIdentity } from "./room-identity.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";
import { getRoomToSpeakIn } from "./send.ts";
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
): Promise<string> {
  const { type, stateKey, content } = state;
  const room = await getRoomToSpeakIn(edges, roomId);
  if (type === "m.room.member") {
    return setMembershipByState(edges, requester, room, stateKey, content);
  }
  if (type === "m.room.canonical_alias" && stateKey === "") {
    await assertAliases(edges, room, content);
  }
  const [result] = await writeToRoom(edges, room.roomNid, [
    {
      draft: { type, sender: requester.userId, stateKey, content },
      skipUnchanged: true,
    },
  ]);
  return result!.eventId;
}

/**
 * New aliases must exist and point to the room; what stood before may stay.
 * https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias
 */
async function assertAliases(edges: WriterEdges, room: RoomIdentity, content: JsonObject): Promise<void> {
  const named = aliasesIn(content);
  if (named.length === 0) return;
  const head = await loadRoomHead(edges, room.roomNid);
  await readState(edges, head, [["m.room.canonical_alias", ""]]);
  const standing = stateAt(head, "m.room.canonical_alias", "")?.pdu.content;
  const known = new Set(standing ? aliasesIn(standing) : []);
  const added = named.filter((alias) => !known.has(alias));
  if (added.some((alias) => !/^#[^:\0]*:.+$/u.test(alias))) {
    throw new MatrixError("M_INVALID_PARAM", "A room alias begins with # and names a server after a colon.");
  }
  const rows = await listAliases(edges.db, added);
  const pointing = new Set(
    rows.flatMap(({ alias, roomNid }) => (roomNid === room.roomNid ? [alias] : [])),
  );
  const bad = added.find((alias) => !pointing.has(alias));
  if (bad !== undefined) {
    throw new MatrixError("M_BAD_ALIAS", `The alias ${bad} does not point to this room.`);
  }
}

function aliasesIn(content: JsonObject): string[] {
  const { alias, alt_aliases: others } = content;
  const list = Array.isArray(others) ? others : others === undefined || others === null ? [] : [others];
  const named = alias === undefined || alias === null || alias === "" ? list : [alias, ...list];
  if (named.some((value) => typeof value !== "string")) {
    throw new MatrixError("M_INVALID_PARAM", "Aliases must be strings.");
  }
  return named as string[];
}
