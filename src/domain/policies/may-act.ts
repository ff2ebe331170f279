import type { Requester } from "../accounts/requester.ts";
import { MatrixError } from "../../core/errors.ts";
import { findRoomIdentity } from "../rooms/room-identity.ts";
import { decideNow, isWithheld, type PolicyEdges } from "./enforce.ts";

type Who = Pick<Requester, "userId"> &
  Partial<Pick<Requester, "deviceId" | "ip">>;

/** By these one reads what stands in a room, so one must be allowed to read it. */
const READS = new Set<string>(["rooms.read", "rooms.content.read"]);

/** Whether policies let an administrator do what their roles allow. */
export async function mayAct(
  edges: PolicyEdges,
  { userId, deviceId = "", ip }: Who,
  permission: string,
  { roomId }: { roomId?: string },
): Promise<boolean> {
  const room =
    roomId === undefined ? undefined : await findRoomIdentity(edges, roomId);
  const target = room ? { roomNid: room.roomNid } : {};
  const asker = { userId, deviceId, ...(ip !== undefined && { ip }) };
  const act = { ...target, permission };
  const [decision] = await decideNow(edges, userId, "admin", [act], { asker });
  if (!decision!.isAllowed) return false;
  if (!room || !READS.has(permission)) return true;
  const [read] = await decideNow(edges, userId, "read", [target], { asker });
  return read!.isAllowed;
}

/** @throws MatrixError M_FORBIDDEN where who administrates may not read the room of an event */
export async function assertMayReadRoom(
  edges: PolicyEdges,
  userId: string,
  roomNid: number,
): Promise<void> {
  if (await isWithheld(edges, userId, roomNid))
    throw new MatrixError(
      "M_FORBIDDEN",
      "A policy of this server does not let you read this room.",
    );
}
