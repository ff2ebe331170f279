import type { Edges } from "../../edges.ts";
import type { PolicyEdges } from "../policies/enforce.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  endOverdueTyping,
  endTyping,
  setTypingUntil,
} from "../../storage/typing.ts";
import { slot } from "../../util/process-memory.ts";
import type { Requester } from "../accounts/requester.ts";
import { getJoinedRoom } from "./joined-room.ts";

type Needs = PolicyEdges & Pick<Edges, "log" | "notifier" | "now">;

const DEFAULT_MS = 30_000;
const MOST_MS = 120_000;

/** How much later than in time a typing is ended that its own process has not ended. */
const GRACE_MS = 2_000;
const SWEEP_EVERY_MS = 5_000;
const swept = slot(() => ({ ts: -Infinity }));

/** The ends of typings that this process has set, by room and user. */
const ends = slot(() => new Map<string, NodeJS.Timeout>());

/**
 * Tells a room that its member types, or has stopped. Typing ends by itself: this
 * process tells the room when the time is over.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid
 */
export async function setTyping(
  edges: Needs,
  requester: Requester,
  place: { roomId: string; userId: string },
  typing: { isTyping: boolean; timeoutMs?: number },
): Promise<void> {
  const { userId } = requester;
  if (place.userId !== userId) {
    throw new MatrixError("M_FORBIDDEN", "You can only type for yourself.");
  }
  const { roomNid } = await getJoinedRoom(edges, userId, place.roomId);
  const { isTyping, timeoutMs = DEFAULT_MS } = typing;
  const lastsMs = isTyping ? Math.min(Math.max(timeoutMs, 0), MOST_MS) : 0;
  const expiresTs = lastsMs > 0 ? edges.now() + lastsMs : 0;
  const mark = await setTypingUntil(edges.db, roomNid, userId, expiresTs);
  edges.notifier.wakeEphemeral({ mark, rooms: [roomNid] });
  planEnd(edges, roomNid, userId, expiresTs);
}

function planEnd(
  edges: Needs,
  roomNid: number,
  userId: string,
  expiresTs: number,
): void {
  const planned = edges.memory.of(ends);
  const name = `${roomNid} ${userId}`;
  clearTimeout(planned.get(name));
  planned.delete(name);
  if (expiresTs === 0) return;
  const end = async (): Promise<void> => {
    planned.delete(name);
    const mark = await endTyping(edges.db, roomNid, userId, expiresTs);
    if (mark === undefined) return;
    edges.notifier.wakeEphemeral({ mark, rooms: [roomNid] });
  };
  const timer = setTimeout(() => {
    end().catch((error: unknown) => {
      edges.log.warn({ err: error }, "The end of a typing was not told.");
    });
  }, expiresTs - edges.now());
  timer.unref();
  planned.set(name, timer);
}

/**
 * Ends the typings of processes that are gone; done beside syncs, for without one
 * nobody waits to hear.
 */
export async function sweepTyping(
  edges: Pick<Edges, "db" | "memory" | "notifier" | "now">,
): Promise<void> {
  const last = edges.memory.of(swept);
  const nowTs = edges.now();
  if (nowTs - last.ts < SWEEP_EVERY_MS) return;
  last.ts = nowTs;
  const ended = await endOverdueTyping(edges.db, nowTs - GRACE_MS);
  const [first] = ended;
  if (!first) return;
  const rooms = [...new Set(ended.map(({ roomNid }) => roomNid))];
  edges.notifier.wakeEphemeral({ mark: first.mark, rooms });
}
