import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { requiredPowerLevel, userPowerLevel } from "../../core/power-levels.ts";
import { listEventHeadsById } from "../../storage/events.ts";
import type { Requester } from "../accounts/requester.ts";
import type { Transaction } from "./proposal.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";
import { getRoomToSpeakIn } from "./send.ts";

/**
 * Redacts an event: its content is deleted in the same commit that brings the
 * redaction, and its skeleton stays.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
 */
export async function redactEvent(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  redaction: { redacts: string; content: JsonObject; transaction: Transaction },
): Promise<string> {
  const { redacts, content, transaction } = redaction;
  const room = await getRoomToSpeakIn(edges, roomId);
  const [target] = await listEventHeadsById(edges.db, room.roomNid, [redacts]);
  const power = await powerToRedact(edges, room.roomNid, requester.userId);
  if (!power.isJoined) {
    throw new MatrixError("M_FORBIDDEN", "You are not joined to this room.");
  }
  if (!target) {
    throw new MatrixError("M_NOT_FOUND", "The event to redact is not known in this room.");
  }
  if (target.sender !== requester.userId && !power.isModerator) {
    throw new MatrixError("M_FORBIDDEN", "Your power level does not let you redact the events of others.");
  }
  // Redacting the create event would take the room's ground away: nothing is stripped.
  const isApplied = target.type !== "m.room.create";
  const [result] = await writeToRoom(edges, room.roomNid, [
    {
      draft: { type: "m.room.redaction", sender: requester.userId, content, redacts },
      transaction,
      ...(isApplied
        ? { extra: ({ nid }) => ({ redactions: [{ targetNid: target.nid, byNid: nid }] }) }
        : {}),
    },
  ]);
  return result!.eventId;
}

async function powerToRedact(edges: WriterEdges, roomNid: number, userId: string) {
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, [
    ["m.room.create", ""],
    ["m.room.power_levels", ""],
    ["m.room.member", userId],
  ]);
  const lookup = (type: string, key: string) => stateAt(head, type, key);
  const create = lookup("m.room.create", "");
  const levels = lookup("m.room.power_levels", "");
  const member = lookup("m.room.member", userId);
  if (!create) throw new TypeError("a room without a create event");
  const { rules } = head.room;
  return {
    isJoined: member?.pdu.content["membership"] === "join",
    isModerator:
      userPowerLevel(rules, create, levels, userId) >= requiredPowerLevel(rules, levels, "redact"),
  };
}
