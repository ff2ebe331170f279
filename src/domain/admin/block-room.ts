import { MatrixError } from "../../core/errors.ts";
import { isRoomId } from "../../core/ids.ts";
import type { Edges } from "../../edges.ts";
import { findRoomBlock } from "../../storage/blocked-rooms.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";

/** @throws MatrixError M_INVALID_PARAM */
export function assertRoomId(roomId: string): void {
  if (!isRoomId(roomId))
    throw new MatrixError("M_INVALID_PARAM", "This is not a legal room ID.");
}

/** Who has blocked a room; null where it is open. It need not be known here. */
export async function readRoomBlock(
  { db }: Pick<Edges, "db">,
  roomId: string,
): Promise<string | null> {
  assertRoomId(roomId);
  return (await findRoomBlock(db, roomId))?.blockedBy ?? null;
}

/** Lets nobody of this server into a room any more, or again. Who is in it stays. */
export async function setRoomBlock(
  { committer, now }: Pick<Edges, "committer" | "now">,
  by: ActingAdministrator,
  roomId: string,
  isBlocked: boolean,
): Promise<void> {
  assertRoomId(roomId);
  const blockedBy = by.actor.userId;
  await committer.commit({
    positions: 1,
    rows: isBlocked
      ? { roomBlocks: [{ roomId, blockedBy }] }
      : { removedRoomBlocks: [{ roomId }] },
    audit: [recordOf(by, roomId, now(), { block: isBlocked })],
  });
}
