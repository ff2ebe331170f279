import { MatrixError } from "../../core/errors.ts";
import {
  type DelayedEventRow,
  type DelayOutcome,
  finaliseDelayedEvent,
  findDelayedEvent,
  listDelayedEvents,
  restartDelayedEvent,
} from "../../storage/delayed-events.ts";
import { claimKey } from "../../storage/idempotency.ts";
import { alarmOf } from "./delay-alarm.ts";
import {
  type DelayedEvent,
  delayKeyOf,
  openDelayedEvents,
} from "./delayed-event.ts";
import { CANCELLED, deliverDelayedEvent } from "./deliver-delayed-event.ts";
import type { WriterEdges } from "./room-writer.ts";
import { MAX_SCHEDULED } from "./schedule-event.ts";

export const delayActions = ["cancel", "restart", "send"] as const;
export type DelayAction = (typeof delayActions)[number];

/** Whoever knows the id may do it: it is given to those who watch over a call. */
export async function manageDelayedEvent(
  edges: WriterEdges,
  delayId: string,
  action: DelayAction,
): Promise<void> {
  const row = await getRow(edges, delayId);
  if (row.outcome === null) await acts[action](edges, row);
  else assertSame(action, row.outcome);
}

const acts: Record<
  DelayAction,
  (edges: WriterEdges, row: DelayedEventRow) => Promise<void>
> = {
  async cancel({ db, now }, { delayKey }) {
    const answer = await claimKey(db, delayKey, CANCELLED, now());
    if (answer !== CANCELLED) throw isOver();
    await finaliseDelayedEvent(db, delayKey, { outcome: "cancel" });
  },
  async restart(edges, { delayKey, delayMs }) {
    const isRestarted = await restartDelayedEvent(edges.db, delayKey);
    if (!isRestarted) throw isOver();
    alarmOf(edges).set(delayMs);
  },
  async send(edges, row) {
    const eventId = await deliverDelayedEvent(edges, row);
    if (eventId === undefined) throw isOver();
  },
};

/** Who asks again for what has happened is answered as at first. */
function assertSame(action: DelayAction, outcome: DelayOutcome): void {
  const isSent = outcome === "send";
  if (action === "send" && isSent) return;
  if (action === "cancel" && !isSent) return;
  throw isOver();
}

const isOver = (): MatrixError =>
  new MatrixError(
    "M_UNKNOWN",
    "The delayed event was sent or cancelled already.",
  );

const notFound = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such delayed event.");

async function getRow(
  { db }: Pick<WriterEdges, "db">,
  delayId: string,
): Promise<DelayedEventRow> {
  const row = await findDelayedEvent(db, delayKeyOf(delayId));
  if (!row) throw notFound();
  return row;
}

export interface DelayedEventState {
  event: DelayedEvent;
  row: DelayedEventRow;
}

type Reads = Pick<WriterEdges, "db" | "keyring">;

/** One of the user's own; throws `M_NOT_FOUND`. */
export async function getDelayedEvent(
  edges: Reads,
  userId: string,
  delayId: string,
): Promise<DelayedEventState> {
  const row = await getRow(edges, delayId);
  const [found] = await openDelayedEvents(edges, [row]);
  if (!found || row.userId !== userId) throw notFound();
  return found;
}

/** The user's own that wait, or the last of those that do not any more. */
export async function listOwnDelayedEvents(
  edges: Reads,
  userId: string,
  isFinalised: boolean,
): Promise<DelayedEventState[]> {
  const range = { isFinalised, limit: MAX_SCHEDULED };
  const rows = await listDelayedEvents(edges.db, userId, range);
  return openDelayedEvents(edges, rows);
}
