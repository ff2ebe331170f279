import type { Edges } from "../../edges.ts";
import type {
  CommitResult,
  ExtremityRow,
  RoomRun,
  RecordedWrite,
  WriteRows,
} from "../../storage/write.ts";
import { assessEvents } from "../push/assess.ts";
import { PUSH_RULES_TOPIC } from "../push/push-rules.ts";
import type { Member } from "./build-groups.ts";
import { rememberEvent } from "./event-store.ts";
import { isLocalUser } from "./local-user.ts";
import type { RoomHead } from "./room-head.ts";
import { lookupOf, type Run } from "./run.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "notifier" | "settings"
>;

interface How {
  /** The run follows every event of its room: nothing may stand beside a state event. */
  isExclusive: boolean;
  turn: string | undefined;
}

/** Hands a run to the committer. */
export async function commitRun(
  edges: Needs,
  run: Run,
  members: readonly Member[],
  how: How,
): Promise<CommitResult> {
  const { room } = run.head;
  const assessed = await assessEvents(
    edges,
    room,
    run.events,
    lookupOf(run),
    run.head.stateVersion,
  );
  run.rows.forEach((row, i) => {
    row.isCountable = assessed.countable[i]!;
    row.thread = assessed.threads[i]!;
  });
  const rows = mergeRows([
    { notifications: assessed.notifications },
    ...run.extra,
    ...members.map(({ group }) => group.rows),
  ]);
  const write: RecordedWrite = {
    positions: Math.max(1, run.events.length),
    idempotency: members.flatMap(({ idempotency }) => idempotency),
    activeUsers: listEntering(edges, run),
    rooms:
      run.events.length > 0
        ? [{ ...roomRunOf(run, how), ...assessed.seen }]
        : [],
    events: run.rows,
    snapshots: run.snapshots,
    stateChanges: run.stateChanges,
    memberships: run.memberships,
    rows,
    audit: members.flatMap(({ group }) => group.audit),
    wake: {
      rooms: [room.roomNid],
      users: [
        ...run.memberships.map(({ userId }) => userId),
        ...(rows.pushModes?.length ? [PUSH_RULES_TOPIC] : []),
      ],
    },
  };
  const outcome = await edges.committer.commit(write);
  if (outcome.status === "committed") {
    for (const { nid, pdu } of run.events) {
      rememberEvent(edges, { nid, pdu });
    }
  } else if (outcome.status === "conflict" && outcome.over === "key") {
    edges.keyring.forget(
      run.rows.flatMap(({ content }) =>
        content ? [content.firstKey, content.secondKey] : [],
      ),
    );
  }
  return outcome;
}

const roomRunOf = (run: Run, { isExclusive, turn }: How): RoomRun => ({
  roomNid: run.head.room.roomNid,
  stateVersion: run.head.stateVersion,
  isExclusive,
  // Another process may have said the same, by the same user, on the same event, just now.
  absent: run.rows.map(({ eventId }) => eventId),
  ...(turn === undefined ? {} : { turn }),
  ...(run.snapshot && run.snapshots.length > 0
    ? {
        next: {
          stateVersion: run.stateVersion,
          snapshotId: run.snapshot.snapshotId,
        },
      }
    : {}),
  cited: run.head.extremities.map(({ nid }) => nid),
  left: run.tips.map(({ nid }) => nid),
  seenTo: run.head.seenTo,
});

/** Our users who come in by themselves: an account that was just closed stays out. */
const listEntering = ({ settings }: Needs, run: Run): string[] =>
  run.memberships.flatMap(({ userId, sender, membership }) =>
    userId === sender &&
    (membership === "join" || membership === "knock") &&
    isLocalUser(settings, userId)
      ? [userId]
      : [],
  );

/** The head after the run committed, with what others left beside it; undefined where that is cited by more than ids. */
export function advance(
  run: Run,
  upTo: number,
  beside: readonly ExtremityRow[],
): RoomHead | undefined {
  const { head } = run;
  for (const [key, entry] of run.changed) head.state.set(key, entry);
  if (run.events.length === 0) return head;
  const { eventIdFormat } = head.room.rules;
  if (beside.length > 0 && eventIdFormat === "domain") return undefined;
  const others = beside.map(({ nid, eventId, depth }) => ({
    ...{ nid, eventId, depth },
    reference: eventId,
  }));
  return {
    ...head,
    stateVersion: run.stateVersion,
    snapshot: run.snapshot,
    extremities: [...run.tips, ...others],
    seenTo: upTo,
  };
}

export function mergeRows(
  parts: readonly Partial<WriteRows>[],
): Partial<WriteRows> {
  const merged: { [table in keyof WriteRows]?: unknown[] } = {};
  for (const part of parts) {
    for (const [table, rows] of Object.entries(part)) {
      const name = table as keyof WriteRows;
      (merged[name] ??= []).push(...rows);
    }
  }
  return merged as Partial<WriteRows>;
}
