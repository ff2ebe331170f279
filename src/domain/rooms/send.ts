import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findIdempotencyAnswer } from "../../storage/idempotency.ts";
import type { Requester } from "../accounts/requester.ts";
import { transactionOf } from "../idempotency.ts";
import { checkRelation } from "./check-relation.ts";
import { getJoinedRoom, getRoomToSpeakIn } from "./joined-room.ts";
import { makeAnew } from "./make-anew.ts";
import type { Proposal, Transaction } from "./proposal.ts";
import { redactEvent } from "./redact.ts";
import { withinRoomLimit } from "./room-limits.ts";
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
  transaction = transactionFor(requester, roomId, message),
): Promise<string> {
  const { type, content } = message;
  if (type === "m.room.redaction") {
    const { redacts, ...rest } = content;
    if (typeof redacts !== "string") {
      throw new MatrixError(
        "M_BAD_JSON",
        'A redaction names the event that it "redacts".',
      );
    }
    return redactEvent(edges, requester, roomId, {
      redacts,
      content: rest,
      transaction,
    });
  }
  const draft = { type, sender: requester.userId, content };
  const proposal = { draft, transaction };
  return content["m.relates_to"] === undefined
    ? writeOne(edges, requester, roomId, proposal)
    : writeRelated(edges, requester, roomId, proposal);
}

const transactionFor = (
  requester: Requester,
  roomId: string,
  { type, txnId }: { type: string; txnId: string },
): Transaction => transactionOf(requester, `send ${type}`, roomId, txnId);

async function writeOne(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  proposal: Proposal,
): Promise<string> {
  const { roomNid } = await getRoomToSpeakIn(edges, roomId);
  const write = () => writeToRoom(edges, roomNid, [proposal]);
  const isUnlimited = requester.messageLimit === null;
  const [result] = isUnlimited
    ? await write()
    : await withinRoomLimit(edges, "roomMessage", roomNid, requester, write);
  return result!.eventId;
}

async function writeRelated(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  proposal: Proposal & Required<Pick<Proposal, "transaction">>,
): Promise<string> {
  const { draft, transaction } = proposal;
  try {
    return await makeAnew(async () => {
      const room = await getJoinedRoom(edges, draft.sender, roomId);
      const { claims = [] } = await checkRelation(edges, room, draft);
      return writeOne(edges, requester, roomId, { ...proposal, claims });
    });
  } catch (error) {
    // The relation that stands in the way may be the transaction's own.
    const answered = await findIdempotencyAnswer(edges.db, transaction.key);
    if (answered !== undefined) return answered;
    throw error;
  }
}
