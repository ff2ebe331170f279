import type { Edges } from "../../edges.ts";
import { escapeText } from "../../storage/json-text.ts";
import {
  listCurrentMembers,
  listCurrentState,
  listStateChanges,
  type StateChange,
  type StatePlace,
} from "../../storage/sync-changes.ts";
import { groupBy } from "../../util/group-by.ts";
import type { RoomPlan } from "./room-plan.ts";

const MEMBER = "m.room.member";

/** Whose member events a room's state needs where members load lazily. */
export type WantedMembers = ReadonlyMap<number, ReadonlySet<string>>;

/** State of one room as numbers of events: by place (stored type and state key). */
export type StateNids = Map<string, number>;

export interface StateRequest {
  plan: RoomPlan;
  /** State as it was after this position. */
  at: number;
  /** What changed up to here is told too where the timeline does not show it. */
  upTo: number;
  /** The events of the timeline. */
  shown: ReadonlySet<number>;
}

/**
 * The state that a sync tells of each room: all of it where the room is new to
 * the client, else what changed after the client's token. A change that the timeline
 * leaves out (it may not be seen there, or a filter hides it) would else be lost.
 * Read from current state by undoing the changes that came later, so nothing
 * depends on the room's age.
 */
export async function readStates(
  { db }: Pick<Edges, "db">,
  requests: readonly StateRequest[],
  members: WantedMembers | null,
): Promise<Map<number, StateNids>> {
  const whole = requests.filter(({ plan }) => plan.isNew);
  const isLazy = members !== null;
  const current = await listCurrentState(
    db,
    whole.map(({ plan }) => plan.roomNid),
    isLazy,
  );
  const wanted = [...(members ?? [])].flatMap(([roomNid, userIds]) =>
    [...userIds].map((userId) => ({ roomNid, stateKey: escapeText(userId) })),
  );
  const loaded = isLazy ? await listCurrentMembers(db, wanted) : [];
  const changes = await listStateChanges(
    db,
    requests.map(({ plan, at }) => ({
      roomNid: plan.roomNid,
      // Whole states undo what came after `at`; others tell what came after the token too.
      after: plan.isNew ? at : Math.min(at, plan.after),
      upTo: Number.MAX_SAFE_INTEGER,
    })),
  );
  const byRoom = groupBy(changes, ({ roomNid }) => roomNid);
  const states = new Map<number, StateNids>();
  for (const { plan, at, upTo, shown } of requests) {
    states.set(plan.roomNid, new Map());
    const state = states.get(plan.roomNid)!;
    const roomChanges = byRoom.get(plan.roomNid) ?? [];
    const isWanted = wantedIn(members, plan.roomNid);
    if (plan.isNew) undoInto(state, roomChanges, at, isWanted);
    else {
      if (isLazy) {
        undoInto(
          state,
          roomChanges.filter(({ type }) => type === MEMBER),
          at,
          isWanted,
        );
      }
      addDelta(state, roomChanges, plan.after, at);
    }
    const later = roomChanges.filter(
      ({ type, stateKey }) =>
        !plan.isNew || type !== MEMBER || isWanted(stateKey),
    );
    addUnshown(state, later, { after: at, upTo, shown });
  }
  place(states, current, byRoom, requests);
  place(states, loaded, byRoom, requests);
  return states;
}

const keyOf = (type: string, stateKey: string) => `${type}\n${stateKey}`;

const wantedIn =
  (members: WantedMembers | null, roomNid: number) => (stateKey: string) =>
    members === null || (members.get(roomNid)?.has(stateKey) ?? false);

/** What changed in (after, at], as it stands at the end of it. */
function addDelta(
  state: StateNids,
  changes: readonly StateChange[],
  after: number,
  at: number,
): void {
  const first = new Map<string, number | null>();
  for (const { position, type, stateKey, oldNid, newNid } of changes) {
    if (position <= after || position > at) continue;
    const key = keyOf(type, stateKey);
    if (!first.has(key)) first.set(key, oldNid);
    if (newNid === null) state.delete(key);
    else state.set(key, newNid);
  }
  for (const [key, oldNid] of first)
    if (state.get(key) === oldNid) state.delete(key);
}

/** What changed in (after, upTo] without being shown, as it stands at the end of it. */
function addUnshown(
  state: StateNids,
  changes: readonly StateChange[],
  { after, upTo, shown }: { after: number } & Omit<StateRequest, "plan" | "at">,
): void {
  const last = new Map<string, number>();
  for (const { position, type, stateKey, newNid } of changes) {
    if (position <= after || position > upTo || newNid === null) continue;
    last.set(keyOf(type, stateKey), newNid);
  }
  for (const [key, nid] of last) if (!shown.has(nid)) state.set(key, nid);
}

/** Entries whose value at `at` differs from today's: the old side of the first later change. */
function undoInto(
  state: StateNids,
  changes: readonly StateChange[],
  at: number,
  isWanted: (stateKey: string) => boolean,
): void {
  const undone = new Set<string>();
  for (const { position, type, stateKey, oldNid } of changes) {
    if (position <= at) continue;
    const key = keyOf(type, stateKey);
    if (undone.has(key)) continue;
    undone.add(key);
    if (oldNid !== null && (type !== MEMBER || isWanted(stateKey)))
      state.set(key, oldNid);
  }
}

/** Fills in entries of today's state that no later change has touched. */
function place(
  states: Map<number, StateNids>,
  entries: readonly StatePlace[],
  byRoom: ReadonlyMap<number, StateChange[]>,
  requests: readonly StateRequest[],
): void {
  const touched = new Map<number, Set<string>>();
  for (const { plan, at } of requests) {
    const later = (byRoom.get(plan.roomNid) ?? []).filter(
      ({ position }) => position > at,
    );
    touched.set(
      plan.roomNid,
      new Set(later.map(({ type, stateKey }) => keyOf(type, stateKey))),
    );
  }
  for (const { roomNid, type, stateKey, nid } of entries) {
    const key = keyOf(type, stateKey);
    if (!touched.get(roomNid)?.has(key)) states.get(roomNid)?.set(key, nid);
  }
}
