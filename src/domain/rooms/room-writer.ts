import type { AuditDraft } from "../../storage/audit-draft.ts";
import { StorageUnavailable } from "../../storage/storage-unavailable.ts";
import type { WriteRows } from "../../storage/write.ts";
import { derive } from "../../util/derive.ts";
import { openedSlot, slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { areUnlimited } from "../policies/enforce.ts";
import { assertMayWrite } from "../policies/may-write.ts";
import type { Proposal, ProposalResult } from "./proposal.ts";
import type { RoomHead } from "./room-head.ts";
import { type Group, type RoomQueue, tooBusy } from "./room-queue.ts";
import { settleGroups } from "./settle-groups.ts";
import type { WriterEdges } from "./writer-edges.ts";

export type { WriterEdges } from "./writer-edges.ts";

const MAX_GROUPS_A_RUN = 100;
const MAX_WAITING = 5_000;

const queues = slot(() => new Map<number, RoomQueue>());
const idleHeads = openedSlot(
  () =>
    new WeightedCache<number, RoomHead>(
      20_000,
      ({ state }) => 1 + state.size / 20,
    ),
);

/** Rows and records that commit with the events. */
interface Also {
  rows?: Partial<WriteRows>;
  audit?: readonly AuditDraft[];
}

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
  also: Also = {},
): Promise<ProposalResult[]> {
  if (areUnlimited(edges)) return enter(edges, roomNid, proposals, also);
  const drafts = proposals.map(({ draft }) => draft);
  return assertMayWrite(edges, roomNid, drafts).then(() =>
    enter(edges, roomNid, proposals, also),
  );
}

function enter(
  edges: WriterEdges,
  roomNid: number,
  proposals: readonly Proposal[],
  also: Also,
): Promise<ProposalResult[]> {
  const all = edges.memory.of(queues);
  let queue = all.get(roomNid);
  if (!queue) {
    const head = edges.memory.of(idleHeads).get(roomNid);
    queue = { waiting: [], isRunning: false, head };
    all.set(roomNid, queue);
  }
  return push(edges, roomNid, queue, proposals, also);
}

/** Creates a room with its first events; `also` holds the row that claims its id. */
export function writeNewRoom(
  edges: WriterEdges,
  head: RoomHead,
  proposals: readonly Proposal[],
  also: Also,
): Promise<ProposalResult[]> {
  const queue: RoomQueue = { waiting: [], isRunning: false, head };
  return push(edges, head.room.roomNid, queue, proposals, also);
}

async function push(
  edges: WriterEdges,
  roomNid: number,
  queue: RoomQueue,
  proposals: readonly Proposal[],
  { rows = {}, audit = [] }: Also,
): Promise<ProposalResult[]> {
  const { actingDevice, trail } = edges;
  const stamped =
    actingDevice === undefined
      ? proposals
      : proposals.map((each) => ({ ...each, deviceId: actingDevice }));
  const wait = (
    by: WriterEdges,
    records: readonly AuditDraft[],
    uses: Partial<WriteRows> = {},
  ) =>
    enqueue(by, roomNid, queue, {
      proposals: stamped,
      rows: { ...rows, ...uses },
      audit: records,
    });
  if (!trail) return (await wait(edges, audit)).results;
  // Its record goes with the group, whoever's request commits the run.
  const { committer } = trail;
  const { results } = await trail.carry(
    audit,
    (records, uses) =>
      wait(derive(edges, { committer, trail: undefined }), records, uses),
    // A record is committed also where the room stays as it was.
    ({ isCommitted }) => isCommitted,
  );
  return results;
}

interface Settled {
  results: ProposalResult[];
  isCommitted: boolean;
}

function enqueue(
  edges: WriterEdges,
  roomNid: number,
  queue: RoomQueue,
  group: Pick<Group, "proposals" | "rows" | "audit">,
): Promise<Settled> {
  return new Promise((resolve, reject) => {
    if (queue.waiting.length >= MAX_WAITING) throw tooBusy();
    const settle: Group["resolve"] = (results, isCommitted) =>
      resolve({ results, isCommitted });
    queue.waiting.push({ edges, ...group, resolve: settle, reject });
    if (!queue.isRunning) void drain(edges, roomNid, queue);
  });
}

async function drain(
  { memory }: Pick<WriterEdges, "memory">,
  roomNid: number,
  queue: RoomQueue,
): Promise<void> {
  queue.isRunning = true;
  while (queue.waiting.length > 0) {
    const groups = queue.waiting.splice(0, MAX_GROUPS_A_RUN);
    try {
      // By what one of them may still touch: who began the first run is gone by now.
      const [oldest] = groups as [Group];
      await settleGroups(oldest.edges, roomNid, queue, groups);
    } catch (error) {
      queue.head = undefined;
      // Whoever waits behind a database that is away waited long enough.
      const isAway = error instanceof StorageUnavailable;
      const behind = isAway ? queue.waiting.splice(0) : [];
      for (const group of [...groups, ...behind]) group.reject(error);
    }
  }
  queue.isRunning = false;
  const all = memory.of(queues);
  if (all.get(roomNid) === queue) all.delete(roomNid);
  const heads = memory.of(idleHeads);
  if (queue.head) heads.set(roomNid, queue.head);
  else heads.delete(roomNid);
}
