import { MatrixError } from "../../core/errors.ts";
import {
  claimDueEvents,
  type DelayedEventRow,
  finaliseDelayedEvent,
  findNextDue,
} from "../../storage/delayed-events.ts";
import { groupBy } from "../../util/group-by.ts";
import { alarmOf } from "../rooms/delay-alarm.ts";
import { deliverDelayedEvent } from "../rooms/deliver-delayed-event.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";

const AT_ONCE = 100;
/** Longer than sending takes; after it another process sends what one that died had begun. */
const CLAIM_MS = 10_000;
/** How often a process looks for what others were told of and may not have lived to send. */
const POLL_MS = 3_000;

/**
 * Sends what is due and nobody else is at; tells how many there were. Each event is
 * sent once, whoever else may be at it too: see `delayKeyOf`.
 */
export async function sendDueEvents(edges: WriterEdges): Promise<number> {
  const due = await claimDueEvents(edges.db, CLAIM_MS, AT_ONCE);
  const rooms = groupBy(due, ({ roomId }) => roomId);
  await Promise.all(
    [...rooms.values()].map(async (rows) => {
      for (const row of rows) await sendOne(edges, row);
    }),
  );
  return due.length;
}

async function sendOne(
  edges: WriterEdges,
  row: DelayedEventRow,
): Promise<void> {
  try {
    await deliverDelayedEvent(edges, row);
  } catch (error) {
    // Where there is too much to send at once, it is tried again when the claim has ended.
    const isRefused =
      error instanceof MatrixError && error.errcode !== "M_LIMIT_EXCEEDED";
    if (isRefused) {
      const { errcode, message } = error;
      const refusal = JSON.stringify({ errcode, error: message });
      const end = { outcome: "error", error: refusal } as const;
      await finaliseDelayedEvent(edges.db, row.delayKey, end);
    } else {
      edges.log.warn({ err: error }, "A delayed event is sent later.");
    }
  }
}

/** Sends delayed events when their time has come, those too that other processes were told of. */
export function startDelayedEvents(edgesNow: () => WriterEdges): {
  stop(): Promise<void>;
} {
  const alarm = alarmOf(edgesNow());
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wakesAt = Infinity;
  let running: Promise<void> | undefined;
  let isStopped = false;

  const wakeIn = (ms: number): void => {
    const at = performance.now() + ms;
    if (isStopped || at >= wakesAt) return;
    clearTimeout(timer);
    wakesAt = at;
    timer = setTimeout(wake, ms);
    timer.unref();
  };
  const wake = (): void => {
    wakesAt = Infinity;
    running = (running ?? Promise.resolve()).then(work);
  };
  const work = async (): Promise<void> => {
    const edges = edgesNow();
    let next: number | undefined;
    try {
      let sent: number;
      do sent = await sendDueEvents(edges);
      while (sent === AT_ONCE && !isStopped);
      next = await findNextDue(edges.db);
    } catch (error) {
      edges.log.warn({ err: error }, "Delayed events are sent later.");
    }
    wakeIn(Math.min(POLL_MS, Math.max(1, next ?? POLL_MS)));
  };
  alarm.onSet(wakeIn);
  wakeIn(0);
  return {
    async stop() {
      isStopped = true;
      alarm.onSet(undefined);
      clearTimeout(timer);
      await running;
    },
  };
}
