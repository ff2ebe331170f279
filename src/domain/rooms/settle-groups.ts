import { MatrixError } from "../../core/errors.ts";
import { listIdempotencyAnswers } from "../../storage/idempotency.ts";
import { LostApproval } from "../admin/approvals/lost-approval.ts";
import { buildGroups, type Member } from "./build-groups.ts";
import { takeTurn } from "../../storage/room-turns.ts";
import type { Committed } from "../../storage/write.ts";
import { advance, commitRun } from "./commit-run.ts";
import { isHeadCurrent, loadRoomHead, type RoomHead } from "./room-head.ts";
import {
  type Group,
  LostRace,
  roomInUse,
  type RoomQueue,
  tooBusy,
} from "./room-queue.ts";
import type { Run } from "./run.ts";
import type { WriterEdges } from "./writer-edges.ts";

const MAX_LOSSES = 40;
/** Writers in step with each other lose again and again: from here on each waits a random while. */
const LOSSES_IN_STEP = 2;
/** After so many lost races a state event asks the writers of messages to wait for it. */
const LOSSES_BEFORE_TURN = 3;
const MAX_CITED = 20;

/** Settles every group: committed, answered from an old transaction, or refused. */
export async function settleGroups(
  edges: WriterEdges,
  roomNid: number,
  queue: RoomQueue,
  groups: readonly Group[],
): Promise<void> {
  let open = groups;
  let losses = 0;
  let turn: string | undefined;
  while (open.length > 0) {
    if (losses === MAX_LOSSES) throw tooBusy();
    if (losses >= LOSSES_BEFORE_TURN && open.some(hasState)) {
      turn ??= edges.random.token(12);
      await takeTurn(edges.db, roomNid, turn);
    }
    const { head, isFresh } = await takeHead(edges, roomNid, queue);
    const { firsts, twins } = splitTwins(open);
    const built = await buildGroups(edges, head, firsts);
    const { run, members, refused } = built;
    const isEmpty = run.events.length === 0 && members.every(isBare);
    if (!isFresh && (refused.size > 0 || isEmpty) && built.dependsOnHead) {
      // The head may be behind another process: decide nothing by old state.
      queue.head = undefined;
      continue;
    }
    await refuse(edges, refused);
    if (isEmpty) {
      for (const { group, results } of members) group.resolve(results(), false);
      open = twins;
      continue;
    }
    const outcome = await commitRun(edges, run, members, {
      isExclusive:
        run.stateChanges.length > 0 && head.extremities.length < MAX_CITED,
      turn,
    });
    if (outcome.status === "committed") {
      queue.head = headAfter(run, outcome);
      for (const { group, results } of members) {
        group.resolve(results(outcome.firstPosition), true);
      }
      open = await answerKnown(edges, twins);
    } else if (outcome.status === "duplicate") {
      losses += 1;
      const left = await answerKnown(edges, [
        ...members.map(groupOf),
        ...twins,
      ]);
      open = await rejectLost(edges, left);
    } else {
      const { over } = outcome;
      if (over !== "room" && over !== "key" && over !== "push-rules") {
        await settleEach(edges, roomNid, queue, members, conflictError(over));
        open = twins;
        continue;
      }
      if (head.stateVersion === null && over === "room") {
        throw new LostRace("A room with this id is there already.");
      }
      losses += 1;
      if (over === "room") queue.head = undefined;
      if (over === "push-rules") await edges.notifier.refresh();
      if (losses > LOSSES_IN_STEP) await falter(edges, losses);
      open = [...members.map(groupOf), ...twins];
    }
  }
}

async function takeHead(
  edges: WriterEdges,
  roomNid: number,
  queue: RoomQueue,
): Promise<{ head: RoomHead; isFresh: boolean }> {
  const { head } = queue;
  if (head && (head.stateVersion === null || isHeadCurrent(edges, head))) {
    return { head, isFresh: head.stateVersion === null };
  }
  const fresh = await loadRoomHead(edges, roomNid, head);
  queue.head = fresh;
  return { head: fresh, isFresh: true };
}

/** Up to two milliseconds for each race lost. */
const falter = ({ random }: WriterEdges, losses: number): Promise<void> => {
  const ms = ((random.bytes(1)[0] ?? 0) / 255) * 2 * losses;
  return new Promise((resolve) => setTimeout(resolve, ms));
};

/** Of a transaction, a claim or an approval that comes twice at once, the second is settled after the first. */
function splitTwins(groups: readonly Group[]): {
  firsts: Group[];
  twins: Group[];
} {
  const seen = new Set<string>();
  const firsts: Group[] = [];
  const twins: Group[] = [];
  for (const group of groups) {
    const named = [...keysOf(group), ...claimsOf(group)].map(textOf);
    const keys = [...named, ...approvalsOf(group)];
    const isTwin = keys.some((key) => seen.has(key));
    for (const key of keys) seen.add(key);
    (isTwin ? twins : firsts).push(group);
  }
  return { firsts, twins };
}

/** Answers the groups whose transactions were committed before; the others are left. */
async function answerKnown(
  { db }: WriterEdges,
  groups: readonly Group[],
): Promise<Group[]> {
  const answers = await listIdempotencyAnswers(db, groups.flatMap(keysOf));
  return groups.filter((group) => {
    const eventIds = keysOf(group).flatMap(
      (key) => answers.get(textOf(key)) ?? [],
    );
    if (eventIds.length === 0) return true;
    const results = eventIds.map((eventId) => ({ eventId, position: null }));
    group.resolve(results, false);
    return false;
  });
}

/** Rejects the groups one of whose claims somebody else holds by now; the others are left. */
async function rejectLost(
  { db }: WriterEdges,
  groups: readonly Group[],
): Promise<Group[]> {
  const taken = await listIdempotencyAnswers(db, groups.flatMap(claimsOf));
  return groups.filter((group) => {
    if (!claimsOf(group).some((key) => taken.has(textOf(key)))) return true;
    group.reject(new LostRace("What it was made on has changed."));
    return false;
  });
}

/** Who was refused now may have been answered before: a lost answer is given again. */
async function refuse(
  edges: WriterEdges,
  refused: ReadonlyMap<Group, unknown>,
): Promise<void> {
  if (refused.size === 0) return;
  for (const group of await answerKnown(edges, [...refused.keys()])) {
    group.reject(refused.get(group));
  }
}

const hasState = ({ proposals }: Group): boolean =>
  proposals.some(({ draft }) => draft.stateKey !== undefined);

const groupOf = ({ group }: Member): Group => group;

const keysOf = ({ proposals }: Group): Uint8Array[] =>
  proposals.flatMap(({ transaction }) => transaction?.key ?? []);

const claimsOf = ({ proposals }: Group): Uint8Array[] =>
  proposals.flatMap(({ claims = [] }) => claims);

const approvalsOf = ({ rows }: Group): string[] =>
  rows.approvalUses?.map(({ approvalId }) => `approval ${approvalId}`) ?? [];

const textOf = (key: Uint8Array): string => Buffer.from(key).toString("base64");

/** One of the groups lost over something of its own: each is tried by itself. */
async function settleEach(
  edges: WriterEdges,
  roomNid: number,
  queue: RoomQueue,
  members: readonly Member[],
  error: Error,
): Promise<void> {
  if (members.length === 1) {
    members[0]!.group.reject(error);
    return;
  }
  for (const { group } of members) {
    await settleGroups(edges, roomNid, queue, [group]).catch(group.reject);
  }
}

/** Redacted state must not be read from the head again, nor ends of the graph that it had no room for be forgotten. */
function headAfter(
  run: Run,
  { upTo, beside }: Committed,
): RoomHead | undefined {
  const isWhole =
    run.head.extremities.length < MAX_CITED &&
    beside !== undefined &&
    run.tips.length + beside.length <= MAX_CITED;
  const isRedacting = run.extra.some(({ redactions }) => redactions?.length);
  return isWhole && !isRedacting ? advance(run, upTo, beside) : undefined;
}

const isBare = ({ group: { rows, audit } }: Member): boolean =>
  audit.length === 0 && Object.keys(rows).length === 0;

function conflictError(over: string): Error {
  switch (over) {
    case "invite-permission":
      return new LostRace("Who may invite the user was set anew.");
    case "alias":
      return roomInUse();
    case "approval":
      return new LostApproval();
    case "blocked-room":
      return new MatrixError(
        "M_FORBIDDEN",
        "This room has been blocked on this server.",
      );
    case "inactive-user":
      return new MatrixError(
        "M_FORBIDDEN",
        "This account has been deactivated.",
      );
    default:
      return new MatrixError(
        "M_UNKNOWN",
        "The room could not be changed. Try again.",
      );
  }
}
