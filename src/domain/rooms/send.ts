import type { JsonObject } from "../../core/json.ts";
import type { Requester } from "../accounts/requester.ts";
import { transactionOf } from "../idempotency.ts";
import { getRoomToSpeakIn } from "./joined-room.ts";
import { redactEvent } from "./redact.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";

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
  const transaction = transactionOf(requester, "send", roomId, txnId);
  if (type === "m.room.redaction" && typeof content["redacts"] === "string") {
    const { redacts, ...rest } = content;
    return redactEvent(edges, requester, roomId, {
      redacts,
      content: rest,
      transaction,
    });
  }
  const room = await getRoomToSpeakIn(edges, roomId);
  const [result] = await writeToRoom(edges, room.roomNid, [
    { draft: { type, sender: requester.userId, content }, transaction },
  ]);
  return result!.eventId;
}
