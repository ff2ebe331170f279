import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  listAllCurrentStateHeads,
  listCurrentStateHeads,
  listEventHeads,
} from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import { findMembership } from "../../storage/memberships.ts";
import { findSnapshotAt, listSnapshots } from "../../storage/snapshots.ts";
import {
  areUnlimited,
  isWithheld,
  type PolicyEdges,
} from "../policies/enforce.ts";
import { openEvents } from "./event-store.ts";
import type { StoredEvent } from "./stored-event.ts";
import { findLeavingPosition, readStandings } from "./gate.ts";
import { findRoomIdentity, type RoomIdentity } from "./room-identity.ts";

type Needs = PolicyEdges;

/** Which state of a room a user may read: today's, or the one they left behind. */
export type ReadableState =
  | { room: RoomIdentity; at: "now" }
  | { room: RoomIdentity; at: "left"; snapshotId: number; position: number };

/** The same for a room that one may not read and for one that does not exist. */
export const notReadable = (): MatrixError =>
  new MatrixError("M_FORBIDDEN", "You are not in this room.");

/**
 * Members read a room's state as it is; who left reads it as it was when they
 * left; anyone reads a world-readable room. All others, and those who ask for a
 * room that is not there, get the same `M_FORBIDDEN`.
 */
export async function getReadableState(
  edges: Needs,
  userId: string,
  roomId: string,
): Promise<ReadableState> {
  const room = await findRoomIdentity(edges, roomId);
  if (!room) throw notReadable();
  if (!areUnlimited(edges) && (await isWithheld(edges, userId, room.roomNid)))
    throw notReadable();
  const standing = await findMembership(edges.db, userId, room.roomNid);
  if (standing?.membership === "join") return { room, at: "now" };
  if (await isWorldReadable(edges, room)) return { room, at: "now" };
  const hasLeft =
    standing?.membership === "leave" || standing?.membership === "ban";
  const position =
    hasLeft && !standing.isForgotten
      ? await findLeaving(edges, userId, room)
      : undefined;
  if (position === undefined) throw notReadable();
  const snapshotId = await findSnapshotAt(edges.db, room.roomNid, position);
  if (snapshotId === undefined) throw notReadable();
  return { room, at: "left", snapshotId, position };
}

/** All state events that the user may read. */
export async function listReadableState(
  edges: Needs,
  readable: ReadableState,
): Promise<StoredEvent[]> {
  const heads =
    readable.at === "now"
      ? await listAllCurrentStateHeads(edges.db, readable.room.roomNid)
      : await listEventHeads(
          edges.db,
          await snapshotNids(edges, readable.snapshotId),
        );
  return openEvents(edges, heads);
}

/** One state event; throws `M_NOT_FOUND`. */
export async function getReadableStateEvent(
  edges: Needs,
  readable: ReadableState,
  type: string,
  stateKey: string,
): Promise<StoredEvent> {
  const place = [escapeText(type), escapeText(stateKey)] as const;
  const heads =
    readable.at === "now"
      ? await listCurrentStateHeads(edges.db, readable.room.roomNid, [place])
      : (
          await listEventHeads(
            edges.db,
            await snapshotNids(edges, readable.snapshotId),
          )
        ).filter(
          (head) => head.type === place[0] && head.stateKey === place[1],
        );
  const [event] = await openEvents(edges, heads);
  if (!event) {
    throw new MatrixError("M_NOT_FOUND", "The room has no such state event.");
  }
  return event;
}

/** The numbers of the state events of one snapshot. */
export async function snapshotNids(
  { db }: Pick<Edges, "db">,
  snapshotId: number,
): Promise<number[]> {
  const snapshots = await listSnapshots(db, [snapshotId]);
  return [...(snapshots.get(snapshotId) ?? [])];
}

async function isWorldReadable(
  edges: Needs,
  room: RoomIdentity,
): Promise<boolean> {
  const heads = await listCurrentStateHeads(edges.db, room.roomNid, [
    ["m.room.history_visibility", ""],
  ]);
  const [event] = await openEvents(edges, heads);
  return event?.pdu.content["history_visibility"] === "world_readable";
}

/** Where in the stream the user's last stay in the room ended. */
async function findLeaving(
  edges: Needs,
  userId: string,
  { roomNid }: RoomIdentity,
): Promise<number | undefined> {
  const standings = await readStandings(edges, userId, [roomNid]);
  return findLeavingPosition(standings.get(roomNid));
}
