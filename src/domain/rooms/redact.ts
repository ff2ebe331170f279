import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findIdempotencyAnswer } from "../../storage/idempotency.ts";
import { listEventHeadsById } from "../../storage/events.ts";
import type { Requester } from "../accounts/requester.ts";
import { getJoinedRoom } from "./joined-room.ts";
import type { Transaction } from "./proposal.ts";
import { redactRelated } from "./redact-related.ts";
import { redactionOf } from "./redaction-proposal.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";

/**
 * Redacts an event: its content is deleted in the same commit that brings the
 * redaction, and its skeleton stays.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
 */
export async function redactEvent(
  edges: WriterEdges,
  requester: Pick<Requester, "userId" | "isSuspended">,
  roomId: string,
  redaction: {
    redacts: string;
    content: JsonObject;
    transaction: Transaction;
    /** What relates to the event in one of these ways is redacted too; `*` is any way. */
    withRelTypes?: readonly string[];
  },
): Promise<string> {
  const { redacts, content, transaction, withRelTypes = [] } = redaction;
  const { userId } = requester;
  const answered = await findIdempotencyAnswer(edges.db, transaction.key);
  if (answered !== undefined) return answered;
  const room = await getJoinedRoom(edges, userId, roomId);
  const [target] = await listEventHeadsById(edges.db, room.roomNid, [redacts]);
  if (!target) {
    throw new MatrixError(
      "M_NOT_FOUND",
      "The event to redact is not known in this room.",
    );
  }
  if (requester.isSuspended && target.sender !== userId) {
    throw new MatrixError(
      "M_USER_SUSPENDED",
      "A suspended account may redact its own events only.",
    );
  }
  if (withRelTypes.length > 0) {
    await redactRelated(edges, requester, room, target, {
      content,
      relTypes: withRelTypes,
    });
  }
  const proposal = redactionOf(room.rules, userId, target, content);
  const [result] = await writeToRoom(edges, room.roomNid, [
    { ...proposal, transaction },
  ]);
  return result!.eventId;
}
