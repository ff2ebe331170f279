import { MatrixError } from "../../core/errors.ts";
import { isUserId } from "../../core/ids.ts";
import { listMutualRooms } from "../../storage/memberships.ts";
import { listWithheldIds, type PolicyEdges } from "../policies/enforce.ts";

const PAGE = 1_000;
const FORM = /^m1_([\w-]{1,400})$/;

export interface MutualRooms {
  roomIds: string[];
  /** In all. */
  count: number;
  next: string | undefined;
}

/**
 * The rooms that somebody shares with another.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mutual_rooms
 */
export async function findMutualRooms(
  edges: PolicyEdges,
  userId: string,
  other: string,
  from: string | undefined,
): Promise<MutualRooms> {
  if (!isUserId(other) || other === userId) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      '"user_id" must be the id of another user.',
    );
  }
  const after = from === undefined ? "" : parseToken(from);
  const users = [userId, other] as const;
  const found = await listMutualRooms(edges.db, users, after, PAGE + 1);
  const page = found.roomIds.slice(0, PAGE);
  const isMore = found.roomIds.length > PAGE;
  const withheld = await listWithheldIds(edges, userId, page);
  return {
    roomIds: page.filter((roomId) => !withheld.has(roomId)),
    count: found.count - withheld.size,
    next: isMore ? tokenOf(page.at(-1)!) : undefined,
  };
}

const tokenOf = (roomId: string): string =>
  `m1_${Buffer.from(roomId).toString("base64url")}`;

function parseToken(token: string): string {
  const [, text] = FORM.exec(token) ?? [];
  const roomId = text && Buffer.from(text, "base64url").toString();
  if (
    roomId?.startsWith("!") &&
    tokenOf(roomId) === token &&
    !roomId.includes("\0")
  )
    return roomId;
  throw new MatrixError(
    "M_INVALID_PARAM",
    '"from" is not a token of this server.',
  );
}
