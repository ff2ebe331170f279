import type { Edges } from "../../edges.ts";
import { listCitedMedia } from "../../core/cited-media.ts";
import type { InspectedEvent } from "../../core/inspect-event.ts";
import { listSnapshotsByHash } from "../../storage/received.ts";
import {
  ACCEPTED,
  type CommitResult,
  type RoomRun,
  type SealedContent,
  type SnapshotRow,
  type RecordedWrite,
  type WriteRows,
} from "../../storage/write.ts";
import { referencesTo } from "../media/references.ts";
import { assessEvents, type Assessment } from "../push/assess.ts";
import { mergeRows } from "./commit-run.ts";
import { contentKeyNames, spansAt } from "./content-keys.ts";
import { rememberEvent } from "./event-store.ts";
import { strippedFor, userKeys } from "./invitation.ts";
import { isLocalUser } from "./local-user.ts";
import { listRedactions } from "./received-redactions.ts";
import type { Placed, ReceiveRun } from "./receive-run.ts";
import type { RoomIdentity } from "./room-identity.ts";
import { keyOfHash } from "./state-set.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "notifier" | "settings"
>;

/** Hands what was received to the committer: all of it commits, or none. */
export async function persistReceived(
  edges: Needs,
  run: ReceiveRun,
  contents: ReadonlyMap<string, string | null>,
  options: { now: number; isExclusive: boolean },
): Promise<CommitResult> {
  const { ground, rows } = run;
  const { room } = ground;
  const placed = rows.map(({ eventId }) => run.placed.get(eventId)!);
  const sealed = await sealContents(
    edges,
    room,
    placed.map(({ event: { eventId, pdu } }) => ({
      eventId,
      pdu,
      content: contents.get(eventId) ?? null,
    })),
    spansAt(edges.keyring, options.now, ground.hasDailyKeys),
  );
  rows.forEach((row, i) => (row.content = sealed[i]!));
  const { notifications, seen } = await assess(edges, run, placed);
  await reuseSnapshots(edges, run);
  const { memberships, placedOutliers, snapshots } = run;
  const write: RecordedWrite = {
    positions: rows.length,
    rooms: [{ ...roomRunOf(run, options.isExclusive), ...seen }],
    events: rows,
    snapshots,
    stateChanges: run.stateChanges,
    memberships,
    rows: mergeRows([
      { notifications, placedOutliers, redactions: listRedactions(run) },
      ...listReferences(edges, placed),
      ...(await stripStates(edges, run, placed)),
    ]),
    wake: {
      rooms: [room.roomNid],
      users: memberships.map(({ userId }) => userId),
    },
  };
  const outcome = await edges.committer.commit(write);
  if (outcome.status === "committed") {
    for (const { nid, event } of placed) {
      rememberEvent(edges, { nid, pdu: event.pdu });
    }
  } else if (outcome.status === "conflict" && outcome.over === "key") {
    edges.keyring.forget(
      rows.flatMap(({ content }) =>
        content ? [content.firstKey, content.secondKey] : [],
      ),
    );
  }
  return outcome;
}

/** The contents of events under the keys that they belong to, in one question for keys. */
export async function sealContents(
  { keyring }: Pick<Edges, "keyring">,
  { roomId }: Pick<RoomIdentity, "roomId">,
  events: readonly Pick<InspectedEvent, "eventId" | "pdu" | "content">[],
  spans: ReturnType<typeof spansAt>,
): Promise<(SealedContent | null)[]> {
  const names = events.map(({ pdu: { type, sender, state_key: stateKey } }) =>
    contentKeyNames(
      { type, sender, ...(stateKey === undefined ? {} : { stateKey }) },
      roomId,
      spans,
    ),
  );
  const handles = await keyring.prepare(names.flat());
  let taken = 0;
  return events.map(({ eventId, content }, i) => {
    const first = handles[taken]!;
    const second = names[i]!.length > 1 ? handles[taken + 1] : undefined;
    taken += names[i]!.length;
    return content === null
      ? null
      : keyring.seal(content, eventId, first, second);
  });
}

/** What the accepted events mean for unread counts. */
async function assess(
  edges: Needs,
  { current, ground, rows }: ReceiveRun,
  placed: readonly Placed[],
): Promise<Pick<Assessment, "notifications" | "seen">> {
  const { index, room, stateVersion } = ground;
  const places = placed.flatMap(({ status }, at) =>
    status === ACCEPTED ? [at] : [],
  );
  const { countable, threads, notifications, seen } = await assessEvents(
    edges,
    room,
    places.map((at) => {
      const { nid, event } = placed[at]!;
      const { eventId, pdu } = event;
      return { nid, roomNid: room.roomNid, eventId, pdu };
    }),
    index.lookup(current),
    stateVersion,
  );
  places.forEach((at, i) => {
    rows[at]!.isCountable = countable[i]!;
    rows[at]!.thread = threads[i]!;
  });
  return {
    notifications: notifications.map((row) => ({
      ...row,
      at: places[row.at]!,
    })),
    seen,
  };
}

/** A state that the room had before, or has on another fork, is not stored again. */
async function reuseSnapshots(
  { db }: Pick<Edges, "db">,
  run: ReceiveRun,
): Promise<void> {
  const { roomNid } = run.ground.room;
  const hashes = run.snapshots.map(({ hash }) => hash);
  const byKey = new Map(
    (await listSnapshotsByHash(db, roomNid, hashes)).map((stored) => [
      keyOfHash(stored.hash),
      stored,
    ]),
  );
  if (byKey.size === 0) return;
  const standIns = new Map<number, { snapshotId: number; hops: number }>();
  const kept: SnapshotRow[] = [];
  for (const row of run.snapshots) {
    const stored = byKey.get(keyOfHash(row.hash));
    const parent = standIns.get(row.parentId ?? 0);
    if (stored) {
      standIns.set(row.snapshotId, stored);
    } else if (parent) {
      const { snapshotId } = parent;
      const hops = parent.hops + 1;
      standIns.set(row.snapshotId, { snapshotId: row.snapshotId, hops });
      kept.push({ ...row, parentId: snapshotId, hops });
    } else {
      kept.push(row);
    }
  }
  run.snapshots = kept;
  const standInOf = <T extends number | null>(id: T): T =>
    ((id && standIns.get(id)?.snapshotId) as T | undefined) ?? id;
  for (const row of run.rows) {
    row.snapshotId = standInOf(row.snapshotId);
    row.snapshotAfter = standInOf(row.snapshotAfter);
  }
  const { snapshot } = run.current;
  snapshot.snapshotId = standInOf(snapshot.snapshotId);
}

/**
 * Where all ends of the graph have the current state, other writers may put
 * events beside these ones; else the resolved state holds for these ends alone.
 */
function roomRunOf(run: ReceiveRun, isExclusive: boolean): RoomRun {
  const { current, ground, placed, tips } = run;
  const before = ground.tips.map(({ nid }) => nid);
  const after = new Set([...tips.values()].map(({ nid }) => nid));
  const isForked = [...tips.values()].some(
    ({ state }) => state.key !== current.key,
  );
  const isChanged = current.key !== ground.current.key;
  return {
    roomNid: ground.room.roomNid,
    stateVersion: ground.stateVersion,
    absent: [...placed.keys()].filter((id) => !ground.heads.has(id)),
    ...(isChanged || isForked
      ? {
          isExclusive,
          next: {
            stateVersion: ground.stateVersion + 1,
            snapshotId: current.snapshot.snapshotId,
          },
          cited: before,
          left: [...after],
        }
      : {
          cited: before.filter((nid) => !after.has(nid)),
          left: [...after].filter((nid) => !before.includes(nid)),
        }),
  };
}

/** Which media of ours the others' events name. */
const listReferences = (
  { settings }: Needs,
  placed: readonly Placed[],
): Partial<WriteRows>[] =>
  placed.map(({ nid, event }) =>
    referencesTo(listCitedMedia(event.pdu.content, settings.serverName), nid),
  );

/** What our invited users are shown of the room. */
async function stripStates(
  edges: Needs,
  { ground: { index, room }, memberships }: ReceiveRun,
  placed: readonly Placed[],
): Promise<Partial<WriteRows>[]> {
  const invites = placed.filter(
    ({ nid, status, event: { pdu } }) =>
      status === ACCEPTED &&
      pdu.content["membership"] === "invite" &&
      isLocalUser(edges.settings, pdu.state_key ?? "") &&
      memberships.some((membership) => membership.nid === nid),
  );
  const userIds = invites.map(({ event }) => event.pdu.state_key!);
  const keys = await userKeys(edges, userIds);
  return invites.map(({ nid, event, before }, i) => {
    const { eventId, pdu } = event;
    const { extra } = strippedFor(edges, userIds[i]!, pdu.sender, keys[i]!);
    const { roomNid } = room;
    return extra!({ nid, roomNid, eventId, pdu }, 0, index.lookup(before));
  });
}
