import type { Edges } from "../../../edges.ts";
import { listChangedRooms } from "../../../storage/sync-changes.ts";
import type { ChosenRoom, ChosenRooms } from "./chosen-rooms.ts";
import { RequiredState, type Place } from "./required-state.ts";
import type { RoomKind, SentRoom, SentRooms } from "./sent-rooms.ts";

/** A room that may have something to tell. */
export interface RoomTask extends ChosenRoom {
  /** Null where the client is to forget what it knows of the room. */
  sent: SentRoom | null;
  /** What the client knows of its state; nothing where it knows nothing of the room. */
  known: RequiredState;
  /** Required state that the client has not been asked to know before. */
  added: readonly Place[];
  /** What stands up to here was told. */
  after: number;
  /** The client wants more of the history than it has. */
  isExpanded: boolean;
  isDirect: boolean;
  /** Something has happened there since. */
  isTouched: boolean;
}

export interface RoomTasks {
  tasks: RoomTask[];
  /** Rooms with news that are out of sight, or too many for one answer. */
  unsent: number[];
}

type Needs = Pick<Edges, "db" | "notifier">;

/** The most rooms of one answer; the others are told by the next ones. */
export const MOST_ROOMS_AN_ANSWER = 1000;

const UNKNOWN = new RequiredState(false, []);

/** Which of the chosen rooms have to be looked at. */
export async function planTasks(
  edges: Needs,
  chosen: ChosenRooms,
  sent: SentRooms,
  directs: ReadonlySet<string>,
  { after, upTo }: { after: number; upTo: number },
): Promise<RoomTasks> {
  const changed = await findChanged(edges, sent, after, upTo);
  const known = requiredReader();
  const beyond = beyondReader();
  const tasks: RoomTask[] = [];
  const unsent: number[] = [];
  for (const [roomNid, { room, config }] of chosen.rooms) {
    const before = sent.get(roomNid);
    const told = before ? (before.position ?? after) : 0;
    const isDirect = directs.has(room.standing.roomId);
    const isTouched =
      room.kind === "join"
        ? before?.position !== null || changed.has(roomNid)
        : room.standing.position > told;
    if (!before || isAnew(before, room, told)) {
      tasks.push({
        room,
        config,
        sent: null,
        known: UNKNOWN,
        added: [],
        after: 0,
        isExpanded: false,
        isDirect,
        isTouched: true,
      });
      continue;
    }
    const required = known(before.required);
    const mayAskMore =
      room.kind === "join" ||
      (room.kind === "left" && !room.standing.isForgotten);
    const added = mayAskMore ? beyond(config.required, required) : [];
    const isExpanded =
      mayAskMore && config.timelineLimit > before.timelineLimit;
    const isWanted =
      isTouched ||
      isExpanded ||
      added.length > 0 ||
      before.isDirect !== isDirect ||
      before.kind !== room.kind;
    if (!isWanted) continue;
    tasks.push({
      room,
      config,
      sent: before,
      known: required,
      added,
      after: told,
      isExpanded,
      isDirect,
      isTouched,
    });
  }
  for (const { sent: before, room, isTouched } of tasks.splice(
    MOST_ROOMS_AN_ANSWER,
  )) {
    if (before?.position === null && isTouched)
      unsent.push(room.standing.roomNid);
  }
  for (const roomNid of changed) {
    if (!chosen.rooms.has(roomNid)) unsent.push(roomNid);
  }
  return { tasks, unsent };
}

/** Whether the client begins anew with a room: it knows it as another, or was out of it meanwhile. */
function isAnew(
  sent: SentRoom,
  {
    kind,
    standing,
  }: { kind: RoomKind; standing: { position: number; sincePosition: number } },
  told: number,
): boolean {
  switch (kind) {
    case "left":
      return false;
    case "join":
      return sent.kind !== "join" || standing.sincePosition > told;
    case "invite":
    case "knock":
      return sent.kind !== kind || standing.position > told;
  }
}

/** Rooms that the client has all news of up to `after`, and in which something happened since. */
async function findChanged(
  { db, notifier }: Needs,
  sent: SentRooms,
  after: number,
  upTo: number,
): Promise<Set<number>> {
  if (sent.size === 0) return new Set();
  const recent = notifier.changesSince(after);
  if (recent) {
    return new Set(
      [...recent.roomNids].filter(
        (roomNid) => sent.get(roomNid)?.position === null,
      ),
    );
  }
  const live = [...sent].flatMap(([roomNid, { position }]) =>
    position === null ? roomNid : [],
  );
  return new Set(await listChangedRooms(db, live, after, upTo));
}

/** Many rooms share what is asked for, and what was told before. */
function beyondReader() {
  const known = new Map<RequiredState, Map<RequiredState, readonly Place[]>>();
  return (wanted: RequiredState, told: RequiredState): readonly Place[] => {
    let ofWanted = known.get(wanted);
    if (!ofWanted) known.set(wanted, (ofWanted = new Map()));
    let added = ofWanted.get(told);
    if (!added) ofWanted.set(told, (added = wanted.beyond(told)));
    return added;
  };
}

function requiredReader(): (text: string) => RequiredState {
  const known = new Map<string, RequiredState>();
  return (text) => {
    let required = known.get(text);
    if (!required) known.set(text, (required = RequiredState.read(text)));
    return required;
  };
}
