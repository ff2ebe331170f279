import type { Edges } from "../../../edges.ts";
import { escapeText } from "../../../storage/json-text.ts";
import type { WantedPlaces } from "../../../storage/sliding-rooms.ts";
import {
  listStateChanges,
  type StateChange,
  type StatePlace,
} from "../../../storage/sync-changes.ts";
import { groupBy } from "../../../util/group-by.ts";
import type { StoredEvent } from "../../rooms/stored-event.ts";
import type { EnteredRoom } from "./entered-room.ts";
import type { Place } from "./required-state.ts";
import { StateView } from "./state-view.ts";

const MEMBER = "m.room.member";
const NAME: Place = ["m.room.name", ""];
const AVATAR: Place = ["m.room.avatar", ""];
const ANY = "*";

/** What an answer tells of a room's state. */
export interface RoomState {
  /** What of it is told; null where an entry is gone. */
  told: readonly { place: Place; nid: number | null }[];
  /** What changed since the client was told of the room. */
  changed: readonly Place[];
  /** Member events that changed and are not told: what was sent of those members is old. */
  stale: readonly number[];
  hasNewMembers: boolean;
  /** The events of name and avatar; null: none; undefined: as before. */
  name: number | null | undefined;
  avatar: number | null | undefined;
  /** The event of the name, where it tells whether members give the room its name. */
  nameNow: number | null | undefined;
}

const NOTHING: RoomState = {
  told: [],
  changed: [],
  stale: [],
  hasNewMembers: false,
  name: undefined,
  avatar: undefined,
  nameNow: undefined,
};

/** How the state of rooms changed, in stream order. */
export type Changes = ReadonlyMap<number, readonly StateChange[]>;

/** After this position changes are news; later ones than the room's are undone. */
const newsAfter = ({ task, stateAt }: EnteredRoom): number =>
  task.sent ? Math.min(task.after, stateAt ?? 0) : (stateAt ?? 0);

export const listChanges = async (
  db: Edges["db"],
  rooms: readonly EnteredRoom[],
): Promise<Changes> => {
  const changes = await listStateChanges(
    db,
    rooms.flatMap((room) =>
      room.stateAt === null
        ? []
        : {
            roomNid: room.roomNid,
            after: newsAfter(room),
            upTo: Number.MAX_SAFE_INTEGER,
          },
    ),
  );
  return groupBy(changes, ({ roomNid }) => roomNid);
};

/**
 * The state that the client asks for: all of it where the room is new to it, else what
 * changed, what it asks for in addition, and members that the timeline needs.
 * @param current today's state at the places that are wanted
 */
export function stateOf(
  room: EnteredRoom,
  userId: string,
  current: readonly StatePlace[],
  changes: readonly StateChange[],
  { needed, isLimited }: { needed: ReadonlySet<string>; isLimited: boolean },
): RoomState {
  const { stateAt, task } = room;
  if (stateAt === null) return onlyOwn(room, userId);
  const range = { after: newsAfter(room), at: stateAt };
  const view = new StateView(current, changes, range);
  const state = task.sent
    ? changedState(room, view, needed, isLimited)
    : wholeState(room, view, needed);
  return withOwn(room, userId, state);
}

/** Members whom the events of a timeline are of, where members are told as they are needed. */
export function neededMembers(
  { task }: EnteredRoom,
  events: readonly StoredEvent[],
): ReadonlySet<string> {
  const needed = new Set<string>();
  if (!task.config.required.isLazy) return needed;
  for (const { sender, type, stateKey } of events) {
    needed.add(escapeText(sender));
    if (type === MEMBER && stateKey !== null) needed.add(escapeText(stateKey));
  }
  return needed;
}

/** Whether members came, went or changed in what is news of a room. */
export const haveMembersChanged = (
  room: EnteredRoom,
  changes: Changes,
): boolean =>
  !room.task.sent ||
  (changes.get(room.roomNid)?.some(({ type }) => type === MEMBER) ?? false);

/** The places of today's state that have to be known. */
export function wantedPlaces(
  rooms: readonly EnteredRoom[],
  needed: ReadonlyMap<number, ReadonlySet<string>>,
  changes: Changes,
): WantedPlaces {
  const exact: { roomNid: number; type: string; stateKey: string }[] = [];
  const types: { roomNid: number; type: string }[] = [];
  const whole: number[] = [];
  for (const room of rooms) {
    const { roomNid, task, stateAt } = room;
    if (stateAt === null) continue;
    const { sent, added, config } = task;
    const entries = sent ? added : config.required.entries;
    if (entries.some(([type]) => type === ANY)) {
      whole.push(roomNid);
      continue;
    }
    const places: Place[] = [...needed.get(roomNid)!].map((stateKey) => [
      MEMBER,
      stateKey,
    ]);
    for (const [type, stateKey] of entries) {
      if (stateKey === ANY) types.push({ roomNid, type });
      else places.push([type, stateKey]);
    }
    if (!sent) places.push(NAME, AVATAR);
    // Whether members give the room its name depends on whether it has one.
    else if (haveMembersChanged(room, changes)) places.push(NAME);
    const keys = new Set<string>();
    for (const [type, stateKey] of places) {
      const key = `${type}\n${stateKey}`;
      if (keys.has(key)) continue;
      keys.add(key);
      exact.push({ roomNid, type, stateKey });
    }
  }
  return { exact, types, rooms: whole };
}

function wholeState(
  { task }: EnteredRoom,
  view: StateView,
  needed: ReadonlySet<string>,
): RoomState {
  const { required } = task.config;
  const told = [...view.list()].filter(
    ({ place: [type, stateKey] }) =>
      required.matches(type, stateKey) ||
      (type === MEMBER && needed.has(stateKey)),
  );
  return {
    ...NOTHING,
    told,
    hasNewMembers: true,
    name: view.at(...NAME),
    avatar: view.at(...AVATAR),
    nameNow: view.at(...NAME),
  };
}

function changedState(
  { task }: EnteredRoom,
  view: StateView,
  needed: ReadonlySet<string>,
  isLimited: boolean,
): RoomState {
  const { config, added, sent } = task;
  const { required } = config;
  const told = new Map<string, { place: Place; nid: number | null }>();
  const stale: number[] = [];
  let hasNewMembers = false;
  for (const { place, oldNid, nid } of view.changes) {
    const [type, stateKey] = place;
    const isMember = type === MEMBER;
    hasNewMembers ||= isMember;
    if (isMember && oldNid !== null) stale.push(oldNid);
    const isTold =
      required.matches(type, stateKey) ||
      // A client that knows all members goes on knowing them, unless there is a gap.
      (isMember && required.isLazy && (!isLimited || needed.has(stateKey)));
    if (isTold) told.set(place.join("\n"), { place, nid });
    else if (isMember && nid !== null) stale.push(nid);
  }
  const isSent = new Set(sent!.members);
  const isAdded = matcherOf(added);
  for (const { place, nid } of view.list()) {
    const [type, stateKey] = place;
    const isNeeded =
      type === MEMBER &&
      needed.has(stateKey) &&
      !isSent.has(nid) &&
      !task.known.matches(type, stateKey);
    if (isNeeded || isAdded(type, stateKey))
      told.set(place.join("\n"), { place, nid });
  }
  const newOf = (place: Place) =>
    view.hasChanged(...place) ? view.at(...place) : undefined;
  return {
    told: [...told.values()],
    changed: view.changes.map(({ place }) => place),
    stale,
    hasNewMembers,
    name: newOf(NAME),
    avatar: newOf(AVATAR),
    nameNow: hasNewMembers ? view.at(...NAME) : newOf(NAME),
  };
}

const matcherOf =
  (entries: readonly Place[]) => (type: string, stateKey: string) =>
    entries.some(
      ([t, k]) => (t === ANY || t === type) && (k === ANY || k === stateKey),
    );

/** Who went out of a room sees that, whatever else of it may be seen. */
function withOwn(
  room: EnteredRoom,
  userId: string,
  state: RoomState,
): RoomState {
  if (room.task.room.kind !== "left") return state;
  const own = onlyOwn(room, userId).told;
  const others = state.told.filter(
    ({ place: [type, stateKey] }) =>
      type !== MEMBER || stateKey !== escapeText(userId),
  );
  return { ...state, told: [...others, ...own] };
}

function onlyOwn({ task }: EnteredRoom, userId: string): RoomState {
  const { required } = task.config;
  const place: Place = [MEMBER, escapeText(userId)];
  const isTold =
    (required.isLazy || required.matches(...place)) &&
    task.room.standing.position > task.after;
  return isTold
    ? { ...NOTHING, told: [{ place, nid: task.room.standing.nid }] }
    : NOTHING;
}
