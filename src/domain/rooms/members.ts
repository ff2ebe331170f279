import type { Edges } from "../../edges.ts";
import {
  listCurrentStateHeads,
  listEventHeads,
  listStateHeadsOfType,
} from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import {
  findFirstSnapshotWithMember,
  findSnapshotAt,
} from "../../storage/snapshots.ts";
import { openEvents } from "./event-store.ts";
import type { StoredEvent } from "./stored-event.ts";
import { positionOf } from "./paging-point.ts";
import type { PagingStart } from "./paging-token.ts";
import { snapshotNids, type ReadableState } from "./read-state.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

const MEMBER = "m.room.member";

/** Member events of a room as the reader may see it; of the given users where some are given. */
export async function listMembers(
  edges: Needs,
  readable: ReadableState,
  userIds?: ReadonlySet<string>,
): Promise<StoredEvent[]> {
  const { roomNid } = readable.room;
  if (readable.at === "left") {
    const nids = await snapshotNids(edges, readable.snapshotId);
    return membersIn(edges, nids, userIds);
  }
  const heads = userIds
    ? await listCurrentStateHeads(
        edges.db,
        roomNid,
        [...userIds].map((userId) => [MEMBER, escapeText(userId)] as const),
      )
    : await listStateHeadsOfType(edges.db, roomNid, MEMBER);
  return openEvents(edges, heads);
}

/** Member events as they stood at a point in the room; never later than the reader may see. */
export async function listMembersAt(
  edges: Needs,
  readable: ReadableState,
  at: PagingStart,
): Promise<StoredEvent[]> {
  const { roomNid } = readable.room;
  const asked = await positionOf(edges, roomNid, at);
  const position =
    readable.at === "left" ? Math.min(asked, readable.position) : asked;
  // A timeline that shows all of a room has a `prev_batch` before the first event.
  const snapshotId =
    (await findSnapshotAt(edges.db, roomNid, position)) ??
    (await findFirstSnapshotWithMember(edges.db, roomNid));
  if (snapshotId === undefined) return [];
  return membersIn(edges, await snapshotNids(edges, snapshotId));
}

/** Member events among the state events of a snapshot. */
export async function membersIn(
  edges: Needs,
  nids: readonly number[],
  userIds?: ReadonlySet<string>,
): Promise<StoredEvent[]> {
  const heads = (await listEventHeads(edges.db, nids)).filter(
    ({ type }) => type === MEMBER,
  );
  const members = await openEvents(edges, heads);
  return userIds
    ? members.filter(
        ({ stateKey }) => stateKey !== null && userIds.has(stateKey),
      )
    : members;
}
