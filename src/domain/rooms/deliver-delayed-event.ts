import { MatrixError } from "../../core/errors.ts";
import type { UserId } from "../../core/ids.ts";
import {
  type DelayedEventRow,
  finaliseDelayedEvent,
} from "../../storage/delayed-events.ts";
import { findIdempotencyAnswer } from "../../storage/idempotency.ts";
import { findUser } from "../../storage/users.ts";
import { rateLimiterOf } from "../accounts/rate-limits.ts";
import type { Requester } from "../accounts/requester.ts";
import { openDelayedEvents } from "./delayed-event.ts";
import { areUnlimited } from "../policies/enforce.ts";
import { assertMaySend } from "../policies/may-write.ts";
import { pretendedEventId } from "./pretended-event.ts";
import { findRoomIdentity } from "./room-identity.ts";
import { DELAYED, type Transaction } from "./proposal.ts";
import type { WriterEdges } from "./room-writer.ts";
import { sendMessage } from "./send.ts";
import { setRoomState } from "./set-state.ts";

/** What stands for the event's id where somebody cancelled it before it was sent. */
export const CANCELLED = "";

/**
 * Sends a delayed event, once however often it is tried, and notes that; undefined
 * where it was cancelled before. Throws what refuses it, and leaves it waiting.
 */
export async function deliverDelayedEvent(
  edges: WriterEdges,
  row: DelayedEventRow,
): Promise<string | undefined> {
  const known = await findIdempotencyAnswer(edges.db, row.delayKey);
  const eventId = known ?? (await send(edges, row));
  const isSent = eventId !== CANCELLED;
  await finaliseDelayedEvent(
    edges.db,
    row.delayKey,
    isSent ? { outcome: "send", eventId } : { outcome: "cancel" },
  );
  return isSent ? eventId : undefined;
}

async function send(edges: WriterEdges, row: DelayedEventRow): Promise<string> {
  const [opened] = await openDelayedEvents(edges, [row]);
  if (!opened) throw forbidden("What was to be sent has been destroyed.");
  const { roomId, type, stateKey, content, delayId, key } = opened.event;
  const requester = await senderOf(edges, row.userId);
  if (requester.isShadowBanned)
    return pretendedEventId(edges, requester, roomId, type, delayId);
  await rateLimiterOf(edges).take("message", row.userId);
  if (!areUnlimited(edges)) {
    const room = await findRoomIdentity(edges, roomId);
    const draft = { type, sender: row.userId, content };
    const state = stateKey !== null && { stateKey };
    if (room) await assertMaySend(edges, room.roomNid, { ...draft, ...state });
  }
  const transaction: Transaction = { deviceId: DELAYED, txnId: delayId, key };
  if (stateKey === null) {
    const message = { type, content, txnId: delayId };
    return sendMessage(edges, requester, roomId, message, transaction);
  }
  const state = { type, stateKey, content };
  return setRoomState(edges, requester, roomId, state, transaction);
}

/** Who is not there any more, or may not speak, sends nothing of what they once planned. */
async function senderOf(
  { db }: Pick<WriterEdges, "db">,
  userId: string,
): Promise<Requester> {
  const user = await findUser(db, userId);
  if (!user || user.isDeactivated || user.isLocked)
    throw forbidden("The account is not active.");
  if (user.isSuspended) {
    throw new MatrixError(
      "M_USER_SUSPENDED",
      "A suspended account sends no events.",
    );
  }
  return {
    userId: userId as UserId,
    deviceId: DELAYED,
    tokenId: 0,
    isGuest: user.isGuest,
    isSuspended: false,
    ...(user.isShadowBanned && { isShadowBanned: true }),
  };
}

const forbidden = (message: string): MatrixError =>
  new MatrixError("M_FORBIDDEN", message);
