import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import {
  listPublishedRooms,
  type PublishedRoom,
} from "../../storage/public-rooms.ts";
import { openEvents } from "../rooms/event-store.ts";
import {
  isNearlyPublic,
  isWanted,
  publicRoomOf,
  type PublicRoom,
  ROOM_FACTS,
  type RoomFacts,
  type RoomSearch,
} from "./public-room.ts";

export interface PublicRoomsPage {
  chunk: PublicRoom[];
  next_batch?: string;
  prev_batch?: string;
  total_room_count_estimate: number;
}

export interface PublicRoomsRequest extends RoomSearch {
  limit: number;
  since: string | undefined;
}

/** The page begins after this room in the order of the list, or ends before it. */
interface Cursor {
  isBackwards: boolean;
  joinedCount: number;
  roomNid: number;
}

const FORM = /^d1_([fb])_(\d{1,15})_(\d{1,15})$/;

/**
 * The rooms that this server lists, the largest first, with three queries
 * however many they are.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms
 */
export async function listPublicRooms(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  request: PublicRoomsRequest,
): Promise<PublicRoomsPage> {
  const cursor = parseCursor(request.since);
  const rooms = await listPublishedRooms(edges.db);
  const facts = await readFacts(edges, rooms);
  const listed = rooms.flatMap((room) => {
    const of = facts.get(room.roomNid) ?? new Map();
    if (!isNearlyPublic(of) || !isWanted(of, request)) return [];
    return [{ ...room, facts: of }];
  });
  const { from, upTo } = rangeOf(listed, cursor, request.limit);
  const page = listed.slice(from, upTo);
  const first = page[0];
  const last = page.at(-1);
  return {
    chunk: page.map((room) => publicRoomOf(room, room.facts)),
    ...(last && upTo < listed.length ? { next_batch: tokenOf("f", last) } : {}),
    ...(first && from > 0 ? { prev_batch: tokenOf("b", first) } : {}),
    total_room_count_estimate: listed.length,
  };
}

function rangeOf(
  rooms: readonly PublishedRoom[],
  cursor: Cursor | undefined,
  limit: number,
): { from: number; upTo: number } {
  if (!cursor) return { from: 0, upTo: limit };
  const { isBackwards } = cursor;
  const at = rooms.findIndex((room) =>
    isBackwards ? compare(room, cursor) >= 0 : compare(room, cursor) > 0,
  );
  const edge = at === -1 ? rooms.length : at;
  return isBackwards
    ? { from: Math.max(0, edge - limit), upTo: edge }
    : { from: edge, upTo: edge + limit };
}

type Place = Pick<PublishedRoom, "joinedCount" | "roomNid">;

const compare = (a: Place, b: Place): number =>
  b.joinedCount - a.joinedCount || a.roomNid - b.roomNid;

const tokenOf = (direction: "f" | "b", { joinedCount, roomNid }: Place) =>
  `d1_${direction}_${joinedCount}_${roomNid}`;

function parseCursor(since = ""): Cursor | undefined {
  if (since === "") return undefined;
  const match = FORM.exec(since);
  if (!match) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      '"since" is not a token of this server.',
    );
  }
  const [, direction, joinedCount, roomNid] = match;
  return {
    isBackwards: direction === "b",
    joinedCount: Number(joinedCount),
    roomNid: Number(roomNid),
  };
}

async function readFacts(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  rooms: readonly PublishedRoom[],
): Promise<Map<number, RoomFacts>> {
  const heads = await listCurrentStateOfRooms(
    edges.db,
    rooms.map(({ roomNid }) => roomNid),
    ROOM_FACTS,
  );
  const facts = new Map<number, Map<string, JsonObject>>();
  for (const { roomNid, type, pdu } of await openEvents(edges, heads)) {
    let of = facts.get(roomNid);
    if (!of) facts.set(roomNid, (of = new Map()));
    of.set(type, pdu.content);
  }
  return facts;
}
