import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Requester } from "../accounts/requester.ts";
import { transactionOf } from "../idempotency.ts";
import { redactEvent } from "./redact.ts";
import { findRoomIdentity, type RoomIdentity } from "./room-identity.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";

/** A room that a user speaks in: one that does not exist looks like one they are not in. */
export async function getRoomToSpeakIn(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
): Promise<RoomIdentity> {
  const room = await findRoomIdentity(edges, roomId);
  if (room) return room;
  throw new MatrixError("M_FORBIDDEN", "You are not joined to this room.");
}

/**
 * Sends a message event; the same transaction id answers the same event again.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
 */
export async function sendMessage(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  message: { type: string; content: JsonObject; txnId: string },
): Promise<string> {
  const { type, content, txnId } = message;
  if (type === "m.room.redaction" && typeof content["redacts"] === "string") {
    const { redacts, ...rest } = content;
    return redactEvent(edges, requester, roomId, {
      redacts,
      content: rest,
      transaction: transactionOf(requester, "send", roomId, txnId),
    });
  }
  const room = await getRoomToSpeakIn(edges, roomId);
  const [result] = await writeToRoom(edges, room.roomNid, [
    {
      draft: { type, sender: requester.userId, content },
      transaction: transactionOf(requester, "send", roomId, txnId),
    },
  ]);
  return result!.eventId;
}
