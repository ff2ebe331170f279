import { tellContentDestroyed } from "../../../storage/purge.ts";
import {
  deleteOldReceipts,
  destroySpans,
  listAgingRooms,
  listDueMessages,
  listDueState,
  listEndedSpans,
  noteSwept,
  raiseFloors,
  readRetentionClock,
  type AgingRoom,
  type DueRoom,
} from "../../../storage/retention-due.ts";
import type { JobClaim } from "../../../storage/admin-jobs.ts";
import { destroyFileKeys } from "../../../storage/retention-media.ts";
import { expireEvents } from "../retention/expire-events.ts";
import { expireMedia, type MediaProgress } from "../retention/expire-media.ts";
import {
  readProgress,
  type StepEnd,
  type TaskEdges,
  type TaskKind,
} from "./task.ts";

const PHASES = ["messages", "state", "receipts", "keys", "media"] as const;
type Phase = (typeof PHASES)[number];

interface Progress {
  phase: Phase;
  /** The room that is at, and up to when its events were looked through. */
  room: number;
  ts: number;
  /** How many events there were, and keys. */
  events: number;
  keys: number;
  media: MediaProgress;
}

/** As many as fit into 500 rows, with their contents and words. */
const EVENTS_AT_ONCE = 140;
/** How many events go between two notes of up to where nothing is unread. */
const FLOOR_EVERY = 1000;
const RECEIPTS_AT_ONCE = 400;
/** What one notification can name. */
const KEYS_AT_ONCE = 400;
const ROOMS_AT_ONCE = 200;

/** Destroys what the policies in force say is over, once through all rooms and files. */
export const retentionTask: TaskKind = {
  async step(edges, job, claim) {
    const progress: Progress = {
      ...{ phase: "messages", room: 0, ts: 0, events: 0, keys: 0, media: {} },
      ...readProgress<Progress>(job),
    };
    const clock = await readRetentionClock(edges.db, edges.now());
    if (progress.phase === "media") {
      const media = await expireMedia(edges, claim, progress.media, clock);
      if (media) return { progress: { ...progress, media }, next: "more" };
      const gone = await destroyFileKeys(edges.db, claim, KEYS_AT_ONCE);
      edges.keyring.forget(gone);
      const keys = progress.keys + gone.length;
      const isMore = gone.length === KEYS_AT_ONCE;
      return {
        progress: { ...progress, keys },
        next: isMore ? "more" : "done",
      };
    }
    const rooms = await listAgingRooms(edges.db, {
      ...{ from: progress.room, clock, limit: ROOMS_AT_ONCE },
    });
    if (rooms.length === 0) return endPhase(edges, progress);
    return STEPS[progress.phase](edges, claim, progress, { rooms, clock });
  },
};

interface Stretch {
  rooms: AgingRoom[];
  clock: number;
}

type Step = (
  edges: TaskEdges,
  claim: JobClaim,
  progress: Progress,
  stretch: Stretch,
) => Promise<StepEnd>;

const STEPS: Readonly<Record<Exclude<Phase, "media">, Step>> = {
  async messages(edges, claim, progress, stretch) {
    const end = await expireNext(
      listDueMessages,
      edges,
      claim,
      progress,
      stretch,
    );
    const { events, room } = end.progress as Progress;
    const isAtEnd = end.isAtEnd && events > progress.events;
    const stepsTo = (count: number) => Math.floor(count / FLOOR_EVERY);
    if (isAtEnd || stepsTo(events) > stepsTo(progress.events)) {
      const { rooms } = stretch;
      const done = end.isAtEnd
        ? rooms
        : rooms.filter(({ roomNid }) => roomNid <= room);
      await raiseFloors(
        edges.db,
        claim,
        done.map(({ roomNid }) => roomNid),
      );
    }
    return end;
  },

  async state(edges, claim, progress, { rooms, clock }) {
    const unswept = rooms.filter(({ isStateSwept }) => !isStateSwept);
    const end = await expireNext(listDueState, edges, claim, progress, {
      rooms: unswept,
      clock,
    });
    const next = end.progress as Progress;
    const nids = unswept.map(({ roomNid }) => roomNid);
    if (nids.includes(next.room)) return end;
    if (nids.length > 0) await noteSwept(edges.db, claim, nids, clock);
    return { progress: beyond(next, rooms), next: "more" };
  },

  async receipts({ db }, claim, progress, { rooms, clock }) {
    const dropping = rooms.filter(({ dropsReceipts }) => dropsReceipts);
    const count = await deleteOldReceipts(
      db,
      claim,
      dropping.map((room) => untilOf(room, clock)),
      RECEIPTS_AT_ONCE,
    );
    return count === RECEIPTS_AT_ONCE
      ? { progress, next: "more" }
      : { progress: beyond(progress, rooms), next: "more" };
  },

  async keys({ db, keyring }, claim, progress, { rooms, clock }) {
    const ended = await listEndedSpans(
      db,
      rooms.map((room) => untilOf(room, clock)),
      KEYS_AT_ONCE,
    );
    const gone = await destroySpans(db, claim, ended);
    keyring.forget(gone);
    const next = { ...progress, keys: progress.keys + gone.length };
    return gone.length === KEYS_AT_ONCE
      ? { progress: next, next: "more" }
      : { progress: beyond(next, rooms), next: "more" };
  },
};

const untilOf = ({ roomNid, maxMs }: AgingRoom, clock: number) => ({
  roomNid,
  untilTs: clock - maxMs,
});

/** The next piece of what is due in these rooms. */
async function expireNext(
  list: typeof listDueMessages,
  edges: TaskEdges,
  claim: JobClaim,
  progress: Progress,
  { rooms, clock }: Stretch,
): Promise<StepEnd & { isAtEnd: boolean }> {
  const places: DueRoom[] = rooms.map((room) => ({
    ...untilOf(room, clock),
    fromTs: room.roomNid === progress.room ? progress.ts : 0,
  }));
  const due = await list(edges.db, places, EVENTS_AT_ONCE);
  const last = due.at(-1);
  if (!last)
    return {
      ...{ progress: beyond(progress, rooms), next: "more" },
      isAtEnd: true,
    };
  const policies = new Map(rooms.map((room) => [room.roomNid, room]));
  const { gone, isLeft } = await expireEvents(
    edges,
    claim,
    due.map((event) => ({ ...event, ...policies.get(event.roomNid)! })),
  );
  const next = { ...progress, events: progress.events + gone };
  const isAtEnd = !isLeft && due.length < EVENTS_AT_ONCE;
  const reached = isLeft ? due[0]! : last;
  // Where others are at all of them just now, they are left for the next run.
  const ts = reached.ts + (gone === 0 ? 1 : 0);
  return {
    progress: isAtEnd
      ? beyond(next, rooms)
      : { ...next, room: reached.roomNid, ts },
    next: "more",
    isAtEnd,
  };
}

/** After all of these rooms. */
function beyond(progress: Progress, rooms: readonly AgingRoom[]): Progress {
  const last = rooms.at(-1);
  return { ...progress, room: (last?.roomNid ?? progress.room) + 1, ts: 0 };
}

async function endPhase(
  { db }: TaskEdges,
  progress: Progress,
): Promise<StepEnd> {
  // Contents are gone from every process's memory before keys are.
  if (progress.phase === "state" && progress.events > 0)
    await tellContentDestroyed(db);
  const phase = PHASES[PHASES.indexOf(progress.phase) + 1]!;
  return { progress: { ...progress, phase, room: 0, ts: 0 }, next: "more" };
}
