import type { Edges } from "../../edges.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { copyRoomRules } from "../../core/push/copy-room-rules.ts";
import { listCurrentStateHeads } from "../../storage/events.ts";
import { findAccountDataText } from "../accounts/account-data.ts";
import { prepareAccountData } from "../accounts/update-account-data.ts";
import { isKeepable, prepareRuleset } from "../push/push-rules.ts";
import { mergeRows } from "./commit-run.ts";
import { openEvents } from "./event-store.ts";
import type { Proposal } from "./proposal.ts";
import { findRoomIdentity, type RoomIdentity } from "./room-identity.ts";
import { tagsIn, TAGS } from "./tags.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "settings">;
type Inherited = Pick<Proposal, "claims" | "extra">;
type NewRoom = Pick<RoomIdentity, "roomId" | "roomNid">;

/** The room that a create event says its own replaces. */
export function predecessorOf({ predecessor }: JsonObject): string | undefined {
  const roomId = isJsonObject(predecessor) ? predecessor["room_id"] : undefined;
  return typeof roomId === "string" ? roomId : undefined;
}

/**
 * What a user who joins a room takes along from the one that it replaces. Any
 * room can claim to replace any other, so both have to point to each other.
 */
export async function inheritFromReplaced(
  edges: Needs,
  userId: string,
  room: RoomIdentity,
): Promise<Inherited> {
  const create = await contentAt(edges, room, "m.room.create");
  const oldId = create && predecessorOf(create);
  const old =
    oldId === undefined ? undefined : await findRoomIdentity(edges, oldId);
  const tombstone = old && (await contentAt(edges, old, "m.room.tombstone"));
  return tombstone?.["replacement_room"] === room.roomId
    ? inheritFrom(edges, userId, oldId, room)
    : {};
}

/**
 * The user's tags, push rules and direct chats of a room, copied for another.
 * "When a user joins the new room, the server should automatically
 * transfer/replicate some of the user's personalized settings such as
 * notifications, tags, etc."
 * https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */
export async function inheritFrom(
  edges: Needs,
  userId: string,
  oldId: string | undefined,
  { roomId, roomNid }: NewRoom,
): Promise<Inherited> {
  const old =
    oldId === undefined ? undefined : await findRoomIdentity(edges, oldId);
  if (!old) return {};
  const text = await findAccountDataText(edges, userId, old.roomNid, TAGS);
  const tags = tagsIn(JSON.parse(text ?? "{}") as JsonObject);
  const changes = await Promise.all([
    prepareAccountData(edges, { userId, roomNid, type: TAGS }, (standing) =>
      Object.keys(tags).length === 0
        ? undefined
        : { ...standing, tags: { ...tags, ...tagsIn(standing) } },
    ),
    prepareAccountData(
      edges,
      { userId, roomNid: 0, type: "m.direct" },
      (direct) => withReplacement(direct, old.roomId, roomId),
    ),
    prepareRuleset(edges, userId, (ruleset) => {
      const copied = copyRoomRules(ruleset, old.roomId, roomId);
      return copied && isKeepable(copied, userId) ? copied : undefined;
    }),
  ]);
  const made = changes.filter((change) => change !== undefined);
  return {
    claims: made.map(({ claim }) => claim),
    extra: (_event, at) => mergeRows(made.map(({ rowsAt }) => rowsAt(at))),
  };
}

/** Direct chats with the new room beside the old one; undefined where that is none of them. */
function withReplacement(
  direct: JsonObject,
  oldId: string,
  newId: string,
): JsonObject | undefined {
  let isChanged = false;
  const entries = Object.entries(direct).map(([userId, rooms]) => {
    const isDue =
      Array.isArray(rooms) && rooms.includes(oldId) && !rooms.includes(newId);
    isChanged ||= isDue;
    return [userId, isDue ? [...rooms, newId] : rooms] as const;
  });
  return isChanged ? Object.fromEntries(entries) : undefined;
}

async function contentAt(
  edges: Needs,
  { roomNid }: RoomIdentity,
  type: string,
): Promise<JsonObject | undefined> {
  const heads = await listCurrentStateHeads(edges.db, roomNid, [[type, ""]]);
  const [event] = await openEvents(edges, heads);
  return event?.pdu.content;
}
