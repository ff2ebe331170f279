import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { Write, WriteRows } from "../../storage/write.ts";
import { listCurrentStateNids } from "../../storage/snapshots.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { assessEvents } from "../push/assess.ts";
import {
  appendEvent,
  findUnchanged,
  lookupOf,
  placesOf,
  type RunBuilder,
  startRun,
} from "./build-run.ts";
import { contentKeyNames } from "./content-keys.ts";
import { rememberEvent } from "./event-store.ts";
import { MAX_HOPS } from "./next-snapshot.ts";
import type { EventDraft, Proposal, ProposalResult } from "./proposal.ts";
import { loadRoomHead, readState, type RoomHead } from "./room-head.ts";

/** Proposals that enter the room together or not at all. */
interface Group {
  proposals: readonly Proposal[];
  /** Rows that commit with the group whatever its events. */
  rows: Partial<WriteRows>;
  audit: readonly string[];
  resolve(results: ProposalResult[]): void;
  reject(error: unknown): void;
}

interface RoomQueue {
  waiting: Group[];
  isRunning: boolean;
  head: RoomHead | undefined;
}

export type WriterEdges = Pick<
  Edges,
  | "committer"
  | "db"
  | "keyring"
  | "log"
  | "memory"
  | "nids"
  | "now"
  | "serverKey"
  | "settings"
>;

const MAX_GROUPS_A_RUN = 100;
const MAX_ATTEMPTS = 12;
const MAX_WAITING = 5_000;

const queues = slot(() => new Map<number, RoomQueue>());
const idleHeads = slot(
  () => new WeightedCache<number, RoomHead>(20_000, ({ state }) => 1 + state.size / 20),
);

/**
 * Puts events into a room. What is proposed while a run commits makes the next
 * run, so writers in one room share commits; a run that loses the room's state
 * version to another process is built again on the new state.
 * Throws `M_FORBIDDEN` where the room's auth refuses one of the proposals.
 */
export function writeToRoom(
  edges: WriterEdges,
  roomNid: number,
  proposals: readonly Proposal[],
  also: { rows?: Partial<WriteRows>; audit?: readonly string[] } = {},
): Promise<ProposalResult[]> {
  const all = edges.memory.of(queues);
  let queue = all.get(roomNid);
  if (!queue) {
    queue = {
      waiting: [],
      isRunning: false,
      head: edges.memory.of(idleHeads).get(roomNid),
    };
    all.set(roomNid, queue);
  }
  if (queue.waiting.length >= MAX_WAITING) {
    throw new MatrixError("M_LIMIT_EXCEEDED", "This room is too busy. Try again shortly.", {
      retry_after_ms: 1000,
    });
  }
  const mine = queue;
  return new Promise((resolve, reject) => {
    const { rows = {}, audit = [] } = also;
    mine.waiting.push({ proposals, rows, audit, resolve, reject });
    if (!mine.isRunning) void drain(edges, roomNid, mine);
  });
}

/** Creates a room with its first events; `newRoom` is the row that claims its id. */
export async function writeNewRoom(
  edges: WriterEdges,
  head: RoomHead,
  proposals: readonly Proposal[],
  also: { rows: Partial<WriteRows>; audit?: readonly string[] },
): Promise<ProposalResult[]> {
  const queue: RoomQueue = { waiting: [], isRunning: false, head };
  return new Promise((resolve, reject) => {
    queue.waiting.push({ proposals, rows: also.rows, audit: also.audit ?? [], resolve, reject });
    void drain(edges, head.room.roomNid, queue);
  });
}

async function drain(edges: WriterEdges, roomNid: number, queue: RoomQueue): Promise<void> {
  queue.isRunning = true;
  while (queue.waiting.length > 0) {
    const groups = queue.waiting.splice(0, MAX_GROUPS_A_RUN);
    try {
      await runGroups(edges, roomNid, queue, groups);
    } catch (error) {
      queue.head = undefined;
      for (const group of groups) group.reject(error);
    }
  }
  queue.isRunning = false;
  const all = edges.memory.of(queues);
  if (all.get(roomNid) === queue) all.delete(roomNid);
  if (queue.head) edges.memory.of(idleHeads).set(roomNid, queue.head);
  else edges.memory.of(idleHeads).delete(roomNid);
}

/** Settles every group: committed, answered from an old transaction, or refused. */
async function runGroups(
  edges: WriterEdges,
  roomNid: number,
  queue: RoomQueue,
  groups: Group[],
): Promise<void> {
  let open = groups;
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === MAX_ATTEMPTS) {
      throw new MatrixError("M_LIMIT_EXCEEDED", "This room is too busy. Try again shortly.", {
        retry_after_ms: 1000,
      });
    }
    const isFresh = queue.head === undefined || queue.head.stateVersion === null;
    const head = (queue.head ??= await loadRoomHead(edges, roomNid));
    const { run, members, refused } = await buildRun(edges, head, open);
    if (refused.size > 0) {
      if (!isFresh) {
        // The head may be behind another process: refuse nobody by old state.
        queue.head = undefined;
        continue;
      }
      for (const [group, error] of refused) group.reject(error);
    }
    if (members.length === 0) return;
    if (run.events.length === 0 && members.every(({ group }) => isBare(group))) {
      for (const { group, results } of members) group.resolve(results());
      return;
    }
    const outcome = await commitRun(edges, run, members);
    switch (outcome.status) {
      case "committed":
        queue.head = advance(run);
        for (const { group, results } of members) group.resolve(results(outcome.firstPosition));
        return;
      case "duplicate": {
        const owner = members.find(({ keys }) => keys.includes(outcome.index))!;
        owner.group.resolve([{ eventId: outcome.answer, position: null }]);
        open = members.flatMap(({ group }) => (group === owner.group ? [] : [group]));
        queue.head = head.stateVersion === null ? head : undefined;
        break;
      }
      case "conflict":
        if (head.stateVersion === null && outcome.over !== "key") {
          throw conflictError(outcome.over);
        }
        if (outcome.over !== "room" && outcome.over !== "key") {
          if (members.length === 1) {
            members[0]!.group.reject(conflictError(outcome.over));
            return;
          }
          for (const { group } of members) await runGroups(edges, roomNid, queue, [group]);
          return;
        }
        open = members.map(({ group }) => group);
        if (head.stateVersion !== null) queue.head = undefined;
    }
  }
}

const isBare = ({ rows, audit }: Group) => audit.length === 0 && Object.keys(rows).length === 0;

interface Member {
  group: Group;
  /** Which of the write's idempotency rows are its own. */
  keys: number[];
  results(firstPosition?: number): ProposalResult[];
}

interface Built {
  run: RunBuilder;
  members: Member[];
  refused: Map<Group, unknown>;
}

async function buildRun(edges: WriterEdges, head: RoomHead, groups: readonly Group[]): Promise<Built> {
  const proposals = groups.flatMap((group) => group.proposals);
  await readState(edges, head, proposals.flatMap((proposal) => placesOf(head, proposal)));
  const now = edges.now();
  const span = edges.keyring.spanAt(now);
  const names = proposals.map(({ draft }) => contentKeyNames(draft, head.room.roomId, span));
  const handles = await edges.keyring.prepare(names.flat());
  const keysOf = new Map<EventDraft, typeof handles>();
  let taken = 0;
  proposals.forEach(({ draft }, i) => {
    const count = names[i]!.length;
    keysOf.set(draft, handles.slice(taken, (taken += count)));
  });
  const nids = await edges.nids.take(proposals.length * 2);
  const isFullDue = head.snapshot !== null && head.snapshot.hops + proposals.length >= MAX_HOPS;
  const allNids = isFullDue ? new Set(await listCurrentStateNids(edges.db, head.room.roomNid)) : null;

  let run = startRun(head, allNids);
  const members: Member[] = [];
  const refused = new Map<Group, unknown>();
  let nextKey = 0;
  for (const group of groups) {
    // One event leaves no trace where it is refused; several need a copy.
    const fork = group.proposals.length === 1 ? run : forkOf(run);
    try {
      const keys: number[] = [];
      const results: ((first?: number) => ProposalResult)[] = [];
      for (const proposal of group.proposals) {
        const unchanged = findUnchanged(fork, proposal);
        if (unchanged !== undefined) {
          results.push(() => ({ eventId: unchanged, position: null }));
          continue;
        }
        const at = fork.rows.length;
        appendEvent(edges, fork, proposal, {
          now,
          takeNid: () => nids.pop()!,
          keysOf: (draft) => keysOf.get(draft)!,
        });
        const { eventId } = fork.events[at]!;
        results.push((first = 0) => ({ eventId, position: first + at }));
        if (proposal.transaction) keys.push(nextKey++);
      }
      members.push({ group, keys, results: (first) => results.map((result) => result(first)) });
      run = fork;
    } catch (error) {
      nextKey = members.reduce((count, { keys }) => count + keys.length, 0);
      refused.set(group, error);
    }
  }
  return { run, members, refused };
}

/** A group that is refused half-way leaves no trace in the run. */
const forkOf = (run: RunBuilder): RunBuilder => ({
  ...run,
  changed: new Map(run.changed),
  allNids: run.allNids && new Set(run.allNids),
  events: [...run.events],
  rows: [...run.rows],
  snapshots: [...run.snapshots],
  stateChanges: [...run.stateChanges],
  memberships: [...run.memberships],
  extra: [...run.extra],
});

async function commitRun(edges: WriterEdges, run: RunBuilder, members: readonly Member[]) {
  const { head } = run;
  const { room } = head;
  const assessed = await assessEvents(edges, room, run.events, lookupOf(run));
  run.rows.forEach((row, i) => (row.isCountable = assessed.countable[i]!));
  const idempotency = members.flatMap(({ group, results }) =>
    group.proposals.flatMap(({ transaction }, i) =>
      transaction ? [{ key: transaction.key, answer: results()[i]!.eventId }] : [],
    ),
  );
  const hasEvents = run.events.length > 0;
  const write: Write = {
    positions: Math.max(1, run.events.length),
    idempotency,
    rooms: hasEvents
      ? [
          {
            roomNid: room.roomNid,
            stateVersion: head.stateVersion,
            ...(run.snapshot && run.snapshots.length > 0
              ? { next: { stateVersion: run.stateVersion, snapshotId: run.snapshot.snapshotId } }
              : {}),
            cited: head.extremities.map(({ nid }) => nid),
            left: run.tips.map(({ nid }) => nid),
          },
        ]
      : [],
    events: run.rows,
    snapshots: run.snapshots,
    stateChanges: run.stateChanges,
    memberships: run.memberships,
    rows: mergeRows([
      { notifications: assessed.notifications },
      ...run.extra,
      ...members.map(({ group }) => group.rows),
    ]),
    audit: members.flatMap(({ group }) => group.audit),
    wake: { rooms: [room.roomNid], users: run.memberships.map(({ userId }) => userId) },
  };
  const outcome = await edges.committer.commit(write);
  if (outcome.status === "committed") {
    for (const { nid, eventId, pdu } of run.events) rememberEvent(edges, nid, eventId, pdu);
  } else if (outcome.status === "conflict" && outcome.over === "key") {
    edges.keyring.forget(
      run.rows.flatMap(({ content }) => (content ? [content.firstKey, content.secondKey] : [])),
    );
  }
  return outcome;
}

/** The head after the run committed. */
function advance(run: RunBuilder): RoomHead {
  const { head } = run;
  for (const [key, entry] of run.changed) head.state.set(key, entry);
  return {
    ...head,
    stateVersion: run.stateVersion,
    snapshot: run.snapshot,
    extremities: run.events.length > 0 ? run.tips : head.extremities,
  };
}

export function mergeRows(parts: readonly Partial<WriteRows>[]): Partial<WriteRows> {
  const merged: { [table in keyof WriteRows]?: unknown[] } = {};
  for (const part of parts) {
    for (const [table, rows] of Object.entries(part)) {
      const name = table as keyof WriteRows;
      (merged[name] ??= []).push(...rows);
    }
  }
  return merged as Partial<WriteRows>;
}

function conflictError(over: string): MatrixError {
  switch (over) {
    case "alias":
      return new MatrixError("M_ROOM_IN_USE", "This room alias is already taken.");
    case "inactive-user":
      return new MatrixError("M_FORBIDDEN", "This account has been deactivated.");
    default:
      return new MatrixError("M_UNKNOWN", "The room could not be changed. Try again.");
  }
}
