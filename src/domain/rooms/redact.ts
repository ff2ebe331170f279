import type { StateLookup } from "../../core/auth/check.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { requiredPowerLevel, userPowerLevel } from "../../core/power-levels.ts";
import type { RoomRules } from "../../core/room-version.ts";
import { findIdempotencyAnswer } from "../../storage/idempotency.ts";
import { listEventHeadsById } from "../../storage/events.ts";
import type { Requester } from "../accounts/requester.ts";
import { getJoinedRoom } from "./joined-room.ts";
import type { Transaction } from "./proposal.ts";
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
  redaction: { redacts: string; content: JsonObject; transaction: Transaction },
): Promise<string> {
  const { redacts, content, transaction } = redaction;
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
  // Without its create event the room would have no ground: nothing is stripped.
  const isApplied = target.type !== "m.room.create";
  const [result] = await writeToRoom(edges, room.roomNid, [
    {
      draft: { type: "m.room.redaction", sender: userId, content, redacts },
      transaction,
      reads: [
        ["m.room.create", ""],
        ["m.room.power_levels", ""],
      ],
      extra: ({ nid }, _at, state) => {
        if (target.sender !== userId) assertPower(room.rules, state, userId);
        return isApplied
          ? { redactions: [{ targetNid: target.nid, byNid: nid }] }
          : {};
      },
    },
  ]);
  return result!.eventId;
}

function assertPower(rules: RoomRules, state: StateLookup, userId: string) {
  const create = state("m.room.create", "");
  const levels = state("m.room.power_levels", "");
  const power = userPowerLevel(rules, create, levels, userId);
  if (power < requiredPowerLevel(rules, levels, "redact")) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "Your power level does not let you redact the events of others.",
    );
  }
}
