import type { Edges } from "../../edges.ts";
import { foldText } from "../../core/words.ts";
import {
  listRoomsForAdmin,
  type ListedRoom,
  STORED_ORDERS,
  type StoredOrder,
} from "../../storage/rooms-admin.ts";
import type { PolicyEdges } from "../policies/enforce.ts";
import { readShownFacts, type AdminRoomFacts } from "./room-facts.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory"> & PolicyEdges;

export type FoundRoom = ListedRoom & { facts: AdminRoomFacts };

/** What rooms are ordered by that only their state says. */
const ORDERED_BY_FACTS = {
  name: "name",
  canonical_alias: "canonicalAlias",
  encryption: "encryption",
  federatable: "isFederatable",
  join_rules: "joinRule",
  guest_access: "guestAccess",
  history_visibility: "historyVisibility",
  room_type: "roomType",
} as const satisfies Record<string, keyof AdminRoomFacts>;
type FactOrder = keyof typeof ORDERED_BY_FACTS;

export const ROOM_ORDERS: readonly (StoredOrder | FactOrder)[] = [
  ...STORED_ORDERS,
  ...(Object.keys(ORDERED_BY_FACTS) as FactOrder[]),
];
export type RoomOrder = (typeof ROOM_ORDERS)[number];

export interface RoomsQuery {
  order: RoomOrder;
  isDescending: boolean;
  /** Stands in the name or the alias, or is the room's id. */
  term: string;
  isPublished: boolean | null;
  isEmpty: boolean | null;
  limit: number;
  offset: number;
}

/**
 * A page of the rooms that this server is in, and how many there are in all. Where their
 * state has to be looked at, what was read of it before is remembered.
 */
export async function searchRooms(
  edges: Needs,
  userId: string,
  query: RoomsQuery,
): Promise<{ rooms: FoundRoom[]; total: number }> {
  const { order, term, limit, offset, isDescending } = query;
  const stored = STORED_ORDERS.find((each) => each === order);
  const isPage = stored !== undefined && term === "";
  const { rooms, total } = await listRoomsForAdmin(edges.db, {
    ...{ isPublished: query.isPublished, isEmpty: query.isEmpty },
    ...{ roomNid: null, isDescending, order: stored ?? "room_id" },
    ...(isPage ? { limit, offset } : { limit: null, offset: 0 }),
  });
  const facts = await readShownFacts(edges, userId, rooms);
  const found = rooms.map((room, i) => ({ ...room, facts: facts[i]! }));
  if (isPage)
    return {
      rooms: found,
      total: await countOf(edges, query, found.length, total),
    };
  const matching = found.filter((room) => matches(room, term));
  if (stored === undefined)
    sortByFact(matching, order as FactOrder, isDescending);
  return {
    rooms: matching.slice(offset, offset + limit),
    total: matching.length,
  };
}

/** A page past the last room tells nothing of how many there are. */
async function countOf(
  { db }: Needs,
  { isPublished, isEmpty, offset }: RoomsQuery,
  shown: number,
  total: number,
): Promise<number> {
  if (shown > 0 || offset === 0) return total;
  const all = await listRoomsForAdmin(db, {
    ...{ isPublished, isEmpty, roomNid: null, order: "room_id" },
    ...{ isDescending: false, limit: 1, offset: 0 },
  });
  return all.total;
}

function matches({ roomId, facts }: FoundRoom, term: string): boolean {
  if (term === "" || roomId === term) return true;
  const wanted = foldText(term);
  const localpart = facts.canonicalAlias?.split(":")[0] ?? "";
  return [facts.name ?? "", localpart].some((text) =>
    foldText(text).includes(wanted),
  );
}

/** What a room has not comes last, whichever way. */
function sortByFact(
  rooms: FoundRoom[],
  order: FactOrder,
  isDescending: boolean,
): void {
  const key = ORDERED_BY_FACTS[order];
  const keyOf = ({ facts }: FoundRoom): string | null => {
    const value = facts[key];
    return value === null ? null : foldText(String(value));
  };
  const keys = new Map(rooms.map((room) => [room, keyOf(room)]));
  const turn = isDescending ? -1 : 1;
  rooms.sort((a, b) => {
    const [one, two] = [keys.get(a) ?? null, keys.get(b) ?? null];
    if (one === two) return turn * compare(a.roomId, b.roomId);
    if (one === null) return 1;
    if (two === null) return -1;
    return turn * compare(one, two);
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
