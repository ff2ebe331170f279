import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { findMembership } from "../../storage/memberships.ts";
import { findAccountDataText } from "../accounts/account-data.ts";
import { updateAccountData } from "../accounts/update-account-data.ts";
import { findRoomIdentity } from "./room-identity.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "settings"
>;

export const TAGS = "m.tag";

/** https://spec.matrix.org/v1.19/client-server-api/#room-tagging */
export async function listTags(
  edges: Needs,
  userId: string,
  roomId: string,
): Promise<JsonObject> {
  const roomNid = await getOwnRoomNid(edges, userId, roomId);
  const text = await findAccountDataText(edges, userId, roomNid, TAGS);
  return tagsIn(JSON.parse(text ?? "{}") as JsonObject);
}

/** Sets one tag of a room; null takes it away. Others stay, also those changed at the same time. */
export async function setTag(
  edges: Needs,
  userId: string,
  roomId: string,
  tag: string,
  content: JsonObject | null,
): Promise<void> {
  const roomNid = await getOwnRoomNid(edges, userId, roomId);
  const place = { userId, roomNid, type: TAGS };
  await updateAccountData(edges, place, (standing) => {
    const others = Object.entries(tagsIn(standing)).filter(
      ([name]) => name !== tag,
    );
    const tags = content === null ? others : [...others, [tag, content]];
    return { ...standing, tags: Object.fromEntries(tags) as JsonObject };
  });
}

export const tagsIn = ({ tags }: JsonObject): JsonObject =>
  isJsonObject(tags) ? tags : {};

async function getOwnRoomNid(
  edges: Needs,
  userId: string,
  roomId: string,
): Promise<number> {
  const room = await findRoomIdentity(edges, roomId);
  const standing =
    room && (await findMembership(edges.db, userId, room.roomNid));
  if (standing) return standing.roomNid;
  throw new MatrixError("M_NOT_FOUND", "You have no such room.");
}
