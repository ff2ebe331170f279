import type { Edges } from "../../../edges.ts";
import {
  listHeroes,
  type MemberCounts,
} from "../../../storage/sync-changes.ts";
import { groupBy } from "../../../util/group-by.ts";
import { mapEvents } from "../../rooms/event-store.ts";
import type { StoredEvent } from "../../rooms/stored-event.ts";
import type { EnteredRoom } from "./entered-room.ts";
import type { Hero } from "./room-result.ts";
import type { RoomState } from "./room-states.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** What a room list shows of a room; undefined: as before, null: taken away. */
export interface Description {
  name: string | null | undefined;
  avatar: string | null | undefined;
  heroes: Hero[] | undefined;
  joinedCount: number | undefined;
  invitedCount: number | undefined;
}

/** How rooms are called, where that has changed; heroes only of those without a name. */
export async function readDescriptions(
  edges: Needs,
  userId: string,
  rooms: readonly EnteredRoom[],
  states: ReadonlyMap<number, RoomState>,
  events: ReadonlyMap<number, StoredEvent>,
  counts: ReadonlyMap<number, MemberCounts>,
): Promise<Map<number, Description>> {
  // Who is out of a room is not told who else came and went.
  const isJoined = ({ task }: EnteredRoom) => task.room.kind === "join";
  const nameless = rooms.flatMap((room) => {
    const { nameNow } = states.get(room.roomNid)!;
    const name = textAt(events, nameNow, "name");
    return isJoined(room) && name === null ? room.roomNid : [];
  });
  const heroes = await readHeroes(edges, userId, nameless);
  const isNameless = new Set(nameless);
  const descriptions = new Map<number, Description>();
  for (const room of rooms) {
    const { roomNid, task } = room;
    const { avatar, name, hasNewMembers } = states.get(roomNid)!;
    const isCounted = hasNewMembers && isJoined(room);
    if (avatar === undefined && name === undefined && !isCounted) continue;
    // Of a room that is new to the client, what is left out is not there.
    const orAbsent = <T>(value: T | null | undefined) =>
      task.sent ? value : (value ?? undefined);
    const own = counts.get(roomNid);
    descriptions.set(roomNid, {
      name: orAbsent(textAt(events, name, "name")),
      avatar: orAbsent(textAt(events, avatar, "url")),
      heroes: isNameless.has(roomNid) ? (heroes.get(roomNid) ?? []) : undefined,
      joinedCount: isCounted ? (own?.joined ?? 0) : undefined,
      invitedCount: isCounted ? (own?.invited ?? 0) : undefined,
    });
  }
  return descriptions;
}

/** What an event calls the room by; what is malformed or empty calls it nothing. */
function textAt(
  events: ReadonlyMap<number, StoredEvent>,
  nid: number | null | undefined,
  key: "name" | "url",
): string | null | undefined {
  if (nid === undefined) return undefined;
  const value = nid === null ? null : events.get(nid)?.pdu.content[key];
  if (typeof value !== "string" || value === "") return null;
  return key === "url" && !value.startsWith("mxc://") ? null : value;
}

async function readHeroes(
  edges: Needs,
  userId: string,
  roomNids: readonly number[],
): Promise<Map<number, Hero[]>> {
  const rows = await listHeroes(edges.db, roomNids, userId);
  const events = await mapEvents(
    edges,
    rows.map(({ nid }) => nid),
  );
  const byRoom = groupBy(rows, ({ roomNid }) => roomNid);
  return new Map(
    [...byRoom].map(([roomNid, heroes]) => [
      roomNid,
      heroes.map((hero) => heroOf(hero.userId, events.get(hero.nid))),
    ]),
  );
}

function heroOf(userId: string, member: StoredEvent | undefined): Hero {
  const { displayname, avatar_url: avatar } = member?.pdu.content ?? {};
  return {
    user_id: userId,
    ...(typeof displayname === "string" && { displayname }),
    ...(typeof avatar === "string" &&
      avatar.startsWith("mxc://") && { avatar_url: avatar }),
  };
}
