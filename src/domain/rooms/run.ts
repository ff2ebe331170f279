import type { StateLookup } from "../../core/auth/check.ts";
import { stateKeyOf } from "../../core/state/state-map.ts";
import type {
  EventRow,
  MembershipRow,
  SnapshotRow,
  StateChangeRow,
  WriteRows,
} from "../../storage/write.ts";
import type { BuiltEvent, EventDraft } from "./proposal.ts";
import type {
  Extremity,
  RoomHead,
  SnapshotInfo,
  StateEntry,
} from "./room-head.ts";

/** What a row's content will be, once the keys to seal it under are there. */
export interface Unsealed {
  row: EventRow;
  draft: EventDraft;
  text: string;
}

/** The growing end of a room while one run is built; the head stays untouched. */
export interface Run {
  head: RoomHead;
  stateVersion: number;
  snapshot: SnapshotInfo | null;
  tips: readonly Extremity[];
  changed: Map<string, StateEntry>;
  /** All current state events, read only where a full snapshot is due. */
  allNids: Set<number> | null;
  events: BuiltEvent[];
  rows: EventRow[];
  unsealed: Unsealed[];
  snapshots: SnapshotRow[];
  stateChanges: StateChangeRow[];
  memberships: MembershipRow[];
  extra: Partial<WriteRows>[];
}

export const startRun = (head: RoomHead, allNids: Set<number> | null): Run => ({
  head,
  stateVersion: head.stateVersion ?? 0,
  snapshot: head.snapshot,
  tips: head.extremities,
  changed: new Map(),
  allNids,
  events: [],
  rows: [],
  unsealed: [],
  snapshots: [],
  stateChanges: [],
  memberships: [],
  extra: [],
});

/** What is appended to the copy does not show in the run. */
export const forkOf = (run: Run): Run => ({
  ...run,
  changed: new Map(run.changed),
  allNids: run.allNids && new Set(run.allNids),
  events: [...run.events],
  rows: [...run.rows],
  unsealed: [...run.unsealed],
  snapshots: [...run.snapshots],
  stateChanges: [...run.stateChanges],
  memberships: [...run.memberships],
  extra: [...run.extra],
});

/** State at the run's end; the head must have read the place. */
export const entryAt = (
  run: Run,
  type: string,
  stateKey: string,
): StateEntry | undefined => {
  const key = stateKeyOf(type, stateKey);
  return run.changed.get(key) ?? run.head.state.get(key) ?? undefined;
};

export const lookupOf =
  (run: Run): StateLookup =>
  (type, stateKey) =>
    entryAt(run, type, stateKey)?.event;
