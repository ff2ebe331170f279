import type { Requester } from "../accounts/requester.ts";
import { MatrixError } from "../../core/errors.ts";
import type { PolicyDecision } from "../../core/policy/decide.ts";
import { findRoomIdentity } from "../rooms/room-identity.ts";
import { decideNow, isWithheld, type PolicyEdges } from "./enforce.ts";

type Who = Pick<Requester, "userId"> &
  Partial<Pick<Requester, "deviceId" | "ip">>;

/** By these one reads what stands in a room, so one must be allowed to read it. */
const READS = new Set<string>([
  ...["rooms.read", "rooms.content.read", "media.read"],
]);

/** What policies say to what an administrator's roles allow. */
export async function decideAct(
  edges: PolicyEdges,
  who: Who,
  permission: string,
  { roomId }: { roomId?: string },
): Promise<PolicyDecision> {
  const room =
    roomId === undefined ? undefined : await findRoomIdentity(edges, roomId);
  const target = room ? { roomNid: room.roomNid } : {};
  const [decision] = await decideActs(edges, who, permission, [target]);
  return decision!;
}

/** The same of many rooms, asked at once. */
export async function decideActs(
  edges: PolicyEdges,
  { userId, deviceId = "", ip }: Who,
  permission: string,
  targets: readonly { roomNid?: number }[],
): Promise<PolicyDecision[]> {
  const asker = { userId, deviceId, ...(ip !== undefined && { ip }) };
  const acts = targets.map((target) => ({ ...target, permission }));
  const decisions = await decideNow(edges, userId, "admin", acts, { asker });
  const isOfRooms = targets.some(({ roomNid }) => roomNid !== undefined);
  if (!isOfRooms || !READS.has(permission)) return decisions;
  const reads = await decideNow(edges, userId, "read", targets, { asker });
  return decisions.map((decision, i) =>
    decision.isAllowed && targets[i]!.roomNid !== undefined
      ? reads[i]!
      : decision,
  );
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
