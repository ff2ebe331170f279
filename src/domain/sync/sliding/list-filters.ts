import type { Edges } from "../../../edges.ts";
import { listStateOfRoomsOfType } from "../../../storage/events.ts";
import { openEvents } from "../../rooms/event-store.ts";
import type { UserView } from "../user-view.ts";
import { readDirectRooms, readTags } from "./own-marks.ts";
import { readEncrypted, readRoomTypes } from "./room-facts.ts";
import type { ListedRoom } from "./room-list.ts";

/** What a list shows; what is absent is not asked for. */
export interface ListFilters {
  is_dm?: boolean | null;
  spaces?: readonly string[] | null;
  is_encrypted?: boolean | null;
  is_invite?: boolean | null;
  room_types?: readonly (string | null)[] | null;
  not_room_types?: readonly (string | null)[] | null;
  tags?: readonly string[] | null;
  not_tags?: readonly string[] | null;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;
type Test = (room: ListedRoom) => boolean;

/** Tests for rooms, one for each of the filters; what several of them need is read once. */
export async function readFilters(
  edges: Needs,
  userId: string,
  view: UserView,
  rooms: readonly ListedRoom[],
  filters: readonly ListFilters[],
): Promise<Test[]> {
  const asks = (...names: (keyof ListFilters)[]): boolean =>
    filters.some((filter) => names.some((name) => isSet(filter[name])));
  const directs = asks("is_dm")
    ? await readDirectRooms(edges, userId, view.upTo)
    : undefined;
  const tags = asks("tags", "not_tags")
    ? await readTags(edges, userId, view.upTo)
    : undefined;
  const typeOf = asks("room_types", "not_room_types")
    ? await readRoomTypes(edges, userId, rooms)
    : undefined;
  const isEncrypted = asks("is_encrypted")
    ? await readEncrypted(edges, userId, rooms)
    : undefined;
  const spaces = asks("spaces")
    ? await readSpaces(edges, view, filters)
    : undefined;
  const hasTag = (room: ListedRoom, wanted: readonly string[]): boolean =>
    wanted.some((tag) => tags?.get(room.standing.roomNid)?.has(tag));

  return filters.map((filter) => {
    const tests: Test[] = [];
    const { is_dm, is_invite, is_encrypted, spaces: inSpaces } = filter;
    const { tags: tagged, not_tags: notTagged } = filter;
    const { room_types: types, not_room_types: notTypes } = filter;
    if (isSet(is_dm))
      tests.push((room) => directs!.has(room.standing.roomId) === is_dm);
    if (isSet(is_invite))
      tests.push(({ kind }) => (kind === "invite") === is_invite);
    if (isSet(is_encrypted))
      tests.push((room) => isEncrypted!(room) === is_encrypted);
    if (isSet(types)) tests.push((room) => types.includes(typeOf!(room)));
    if (isSet(notTypes))
      tests.push((room) => !notTypes.includes(typeOf!(room)));
    if (isSet(tagged)) tests.push((room) => hasTag(room, tagged));
    if (isSet(notTagged)) tests.push((room) => !hasTag(room, notTagged));
    if (isSet(inSpaces)) {
      tests.push(({ standing: { roomId } }) =>
        inSpaces.some((space) => spaces!.get(space)?.has(roomId)),
      );
    }
    return (room) => tests.every((test) => test(room));
  });
}

const isSet = <T>(value: T | null | undefined): value is T =>
  value !== undefined && value !== null;

/** The children of those spaces that the user has joined; spaces within them are not gone into. */
async function readSpaces(
  edges: Needs,
  { joined }: UserView,
  filters: readonly ListFilters[],
): Promise<Map<string, Set<string>>> {
  const wanted = new Set(filters.flatMap(({ spaces }) => spaces ?? []));
  const children = new Map<string, Set<string>>();
  const nids: number[] = [];
  for (const { roomId, roomNid } of joined.values()) {
    if (!wanted.has(roomId)) continue;
    children.set(roomId, new Set());
    nids.push(roomNid);
  }
  const heads = await listStateOfRoomsOfType(edges.db, nids, "m.space.child");
  for (const { room, stateKey, pdu } of await openEvents(edges, heads)) {
    // Without a way to it, it is no child any more.
    if (stateKey !== null && Array.isArray(pdu.content["via"]))
      children.get(room.roomId)?.add(stateKey);
  }
  return children;
}
