import {
  clearNotifications,
  closeRoom,
  deleteEvents,
  deleteRoomRows,
  deleteUsersRows,
  destroyRoomKeys,
  hasRoomKeys,
  listEventNids,
  listRoomUsers,
  tellContentDestroyed,
} from "../../../storage/purge.ts";
import type { JobClaim } from "../../../storage/admin-jobs.ts";
import type { RoomIdentity } from "../../rooms/room-identity.ts";
import { dropMediaOf } from "./drop-media.ts";
import type { TaskEdges } from "./task.ts";

/** How far a room is destroyed. */
export interface RoomPurge {
  areKeysGone?: boolean;
  events?: number;
  /** Users up to this one have nothing of it any more. */
  userId?: string;
  areUsersDone?: boolean;
}

/** With its content, words and up to four media each, never more than 500 rows. */
const EVENTS_AT_ONCE = 60;
const NOTIFICATIONS_AT_ONCE = 400;
/** Of five tables, so many rows of each at the most. */
const USERS_AT_ONCE = 40;
const ROWS_OF_USERS = 80;
const ROWS_AT_ONCE = 400;

/** The next piece of what destroys a room for good. */
export async function purgeRoom(
  edges: TaskEdges,
  claim: JobClaim,
  room: RoomIdentity,
  done: RoomPurge,
  { isUnblocked }: { isUnblocked: boolean },
): Promise<{ left: RoomPurge; isDone: boolean }> {
  const { db } = edges;
  const more = (left: RoomPurge) => ({ left, isDone: false });
  if (!done.areKeysGone) {
    await destroyRoomKeys(db, claim, room.roomId);
    // Where a hold came between, some are left, and the deletion waits for it.
    const areKeysGone = !(await hasRoomKeys(db, room.roomId));
    return more({ ...done, areKeysGone });
  }
  const nids = await listEventNids(db, room.roomNid, EVENTS_AT_ONCE);
  if (nids.length > 0) {
    while (
      (await clearNotifications(db, claim, nids, NOTIFICATIONS_AT_ONCE)) ===
      NOTIFICATIONS_AT_ONCE
    );
    await dropMediaOf(edges, claim, nids);
    await deleteEvents(db, claim, nids);
    return more({ ...done, events: (done.events ?? 0) + nids.length });
  }
  if (!done.areUsersDone) {
    const after = done.userId ?? "";
    const users = await listRoomUsers(db, room.roomNid, after, USERS_AT_ONCE);
    const last = users.at(-1);
    if (last === undefined) return more({ ...done, areUsersDone: true });
    const rows = await deleteUsersRows(db, claim, room, users, ROWS_OF_USERS);
    return more(rows > 0 ? done : { ...done, userId: last });
  }
  if ((await deleteRoomRows(db, claim, room.roomNid, ROWS_AT_ONCE)) > 0)
    return more(done);
  await closeRoom(db, claim, room.roomNid, isUnblocked);
  await tellContentDestroyed(db);
  return { left: done, isDone: true };
}
