import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { listCurrentStateNids } from "../../storage/snapshots.ts";
import { appendEvent, findUnchanged, placesOf } from "./append-event.ts";
import { contentKeyNames, spansAt } from "./content-keys.ts";
import { MAX_HOPS } from "./next-snapshot.ts";
import type { Proposal, ProposalResult } from "./proposal.ts";
import { readState, type RoomHead } from "./room-head.ts";
import { type Group, LostRace } from "./room-queue.ts";
import { forkOf, type Run, startRun } from "./run.ts";

type Needs = Pick<
  Edges,
  | "db"
  | "keyring"
  | "memory"
  | "nids"
  | "now"
  | "random"
  | "serverKey"
  | "settings"
>;

/** A group whose events stand in the run. */
export interface Member {
  group: Group;
  /** The event that each of its transactions is answered with, and its claims. */
  idempotency: { key: Uint8Array; answer: string }[];
  results(firstPosition?: number): ProposalResult[];
}

export interface Built {
  run: Run;
  members: Member[];
  refused: Map<Group, unknown>;
  /** Something was refused, or left out as unchanged, by the head's state. */
  dependsOnHead: boolean;
}

/** Builds one run of all the groups that auth lets pass. */
export async function buildGroups(
  edges: Needs,
  head: RoomHead,
  groups: readonly Group[],
): Promise<Built> {
  const proposals = groups.flatMap((group) => group.proposals);
  const supplies = await prepareSupplies(edges, head, proposals);
  let run = startRun(head, await readAllNids(edges, head, proposals));
  const members: Member[] = [];
  const refused = new Map<Group, unknown>();
  let dependsOnHead = false;
  for (const group of groups) {
    // One event leaves no trace where it is refused; several need a copy.
    const fork = group.proposals.length === 1 ? run : forkOf(run);
    try {
      const member = appendGroup(edges, fork, group, supplies);
      dependsOnHead ||= member
        .results()
        .some(({ position }) => position === null);
      members.push(member);
      run = fork;
    } catch (error) {
      dependsOnHead ||=
        error instanceof LostRace ||
        (error instanceof MatrixError && error.errcode === "M_FORBIDDEN");
      refused.set(group, error);
    }
  }
  await sealContents(edges, run);
  return { run, members, refused, dependsOnHead };
}

/** Keys are made for what auth let pass alone. */
async function sealContents(
  { keyring, now }: Needs,
  { head, unsealed }: Run,
): Promise<void> {
  const spans = spansAt(keyring, now(), head.hasDailyKeys);
  const names = unsealed.map(({ draft }) =>
    contentKeyNames(draft, head.room.roomId, spans),
  );
  const handles = await keyring.prepare(names.flat());
  let taken = 0;
  unsealed.forEach(({ row, text }, i) => {
    const [first, second] = handles.slice(taken, (taken += names[i]!.length));
    if (first) row.content = keyring.seal(text, row.eventId, first, second);
  });
}

type Supplies = Parameters<typeof appendEvent>[3];

function appendGroup(
  edges: Needs,
  run: Run,
  group: Group,
  supplies: Supplies,
): Member {
  const results: { eventId: string; at: number | null }[] = [];
  const idempotency: Member["idempotency"] = [];
  for (const proposal of group.proposals) {
    const unchanged = findUnchanged(run, proposal);
    const at = run.rows.length;
    if (unchanged === undefined) {
      appendEvent(edges, run, proposal, supplies);
      for (const key of proposal.claims ?? [])
        idempotency.push({ key, answer: "" });
    }
    const eventId = unchanged ?? run.events[at]!.eventId;
    results.push({ eventId, at: unchanged === undefined ? at : null });
    const { transaction } = proposal;
    if (transaction)
      idempotency.push({ key: transaction.key, answer: eventId });
  }
  return {
    group,
    idempotency,
    results: (first = 0) =>
      results.map(({ eventId, at }) => ({
        eventId,
        position: at === null ? null : first + at,
      })),
  };
}

/** State and numbers for all events, each with one query at most. */
async function prepareSupplies(
  edges: Needs,
  head: RoomHead,
  proposals: readonly Proposal[],
): Promise<Supplies> {
  await readState(
    edges,
    head,
    proposals.flatMap((proposal) => placesOf(head, proposal)),
  );
  const now = edges.now();
  const nids = [...(await edges.nids.take(proposals.length * 2))].reverse();
  return {
    now,
    takeNid: () => nids.pop()!,
  };
}

/** The whole state, where the run may come to a full snapshot. */
async function readAllNids(
  { db }: Needs,
  { room, snapshot }: RoomHead,
  proposals: readonly Proposal[],
): Promise<Set<number> | null> {
  const count = proposals.filter(
    ({ draft }) => draft.stateKey !== undefined,
  ).length;
  const isDue =
    count > 0 && snapshot !== null && snapshot.hops + count > MAX_HOPS;
  return isDue ? new Set(await listCurrentStateNids(db, room.roomNid)) : null;
}
