import type { Edges } from "../../edges.ts";
import type { JsonValue } from "../../core/json.ts";
import { listEventHeads } from "../../storage/events.ts";
import { listMembersOf } from "../../storage/memberships.ts";
import { openEvents } from "./event-store.ts";
import { getJoinedRoom } from "./joined-room.ts";

/** How a member shows in a room. */
export interface JoinedMember {
  display_name: string | null;
  avatar_url: string | null;
}

/** The joined members of a room that one is in, as they show there, by user id. */
export async function listJoinedMembers(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  userId: string,
  roomId: string,
): Promise<Record<string, JoinedMember>> {
  const { roomNid } = await getJoinedRoom(edges, userId, roomId);
  const members = await listMembersOf(edges.db, roomNid, ["join"]);
  const heads = await listEventHeads(
    edges.db,
    members.map(({ nid }) => nid),
  );
  const events = await openEvents(edges, heads);
  return Object.fromEntries(
    events.map(({ stateKey, pdu }) => [
      stateKey,
      {
        display_name: textOrNull(pdu.content["displayname"]),
        avatar_url: textOrNull(pdu.content["avatar_url"]),
      },
    ]),
  ) as Record<string, JoinedMember>;
}

const textOrNull = (value: JsonValue | undefined): string | null =>
  typeof value === "string" ? value : null;
