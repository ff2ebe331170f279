import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  findDelayedEventByTxn,
  findNextDue,
  insertDelayedEvent,
} from "../../storage/delayed-events.ts";
import { escapeText } from "../../storage/json-text.ts";
import type { Requester } from "../accounts/requester.ts";
import { transactionOf } from "../idempotency.ts";
import { alarmOf } from "./delay-alarm.ts";
import {
  delayContext,
  delayKeyOf,
  delaySecret,
  openDelayedEvents,
} from "./delayed-event.ts";
import { getJoinedRoom } from "./joined-room.ts";

/** What a client wants to be sent later, a message or state. */
export interface ScheduledEvent {
  type: string;
  content: JsonObject;
  delayMs: number;
  /** Absent for messages. */
  stateKey?: string;
  /** Absent where none is told: each request is another event. */
  txnId?: string;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "random">;

export const MAX_DELAY_MS = 24 * 60 * 60 * 1000;
/** How many of one user may wait at once. */
export const MAX_SCHEDULED = 100;
const MAX_BYTES = 64 * 1024;
const MAX_NAME_BYTES = 255;

/**
 * Keeps an event until its time has come (MSC4140); whether it may be sent is asked
 * then. Answers the id by which it is managed.
 */
export async function scheduleEvent(
  edges: Needs,
  requester: Requester,
  roomId: string,
  event: ScheduledEvent,
): Promise<string> {
  const { actedBy, userId } = requester;
  if (actedBy !== undefined) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "An administrator who acts as somebody else sends nothing later.",
    );
  }
  const { type, stateKey, content, delayMs, txnId } = event;
  assertFits(event);
  const txnKey =
    txnId === undefined
      ? null
      : transactionOf(requester, `delay ${type}`, roomId, txnId).key;
  const known = txnKey && (await findByTxn(edges, txnKey));
  if (known) return known;
  await getJoinedRoom(edges, userId, roomId);
  const delayId = edges.random.token();
  const delayKey = delayKeyOf(delayId);
  const sealed = await edges.keyring.sealForUser(
    userId,
    delayContext(userId, delayKey),
    delaySecret(delayId, content),
  );
  const row = {
    ...{ delayKey, userId, txnKey, roomId, delayMs },
    type: escapeText(type),
    stateKey: stateKey === undefined ? null : escapeText(stateKey),
  };
  const isStored = await insertDelayedEvent(
    edges.db,
    { ...row, ...sealed },
    MAX_SCHEDULED,
  );
  if (isStored) {
    alarmOf(edges).set(delayMs);
    return delayId;
  }
  const twin = txnKey && (await findByTxn(edges, txnKey));
  if (twin) return twin;
  throw tooMany((await findNextDue(edges.db, userId)) ?? 0);
}

async function findByTxn(
  edges: Pick<Edges, "db" | "keyring">,
  txnKey: Uint8Array,
): Promise<string | undefined> {
  const row = await findDelayedEventByTxn(edges.db, txnKey);
  const [known] = await openDelayedEvents(edges, row ? [row] : []);
  return known?.event.delayId;
}

function assertFits({ type, stateKey = "", content, delayMs }: ScheduledEvent) {
  if (delayMs > MAX_DELAY_MS) {
    throw new MatrixError(
      "M_UNKNOWN",
      "The requested delay exceeds the allowed maximum.",
      {
        "org.matrix.msc4140.errcode": "M_MAX_DELAY_EXCEEDED",
        "org.matrix.msc4140.max_delay": MAX_DELAY_MS,
      },
    );
  }
  for (const name of [type, stateKey]) {
    if (Buffer.byteLength(name) > MAX_NAME_BYTES)
      throw new MatrixError(
        "M_TOO_LARGE",
        "A type and a state key have at most 255 bytes.",
      );
  }
  if (Buffer.byteLength(JSON.stringify(content)) > MAX_BYTES)
    throw new MatrixError("M_TOO_LARGE", "An event has at most 64 KiB.");
}

const tooMany = (retryAfterMs: number): MatrixError =>
  new MatrixError(
    "M_LIMIT_EXCEEDED",
    "The maximum number of delayed events has been reached.",
    { retry_after_ms: Math.max(1, retryAfterMs) },
  );
