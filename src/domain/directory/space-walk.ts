import type { Edges } from "../../edges.ts";
import { isRoomId } from "../../core/ids.ts";
import { listStateOfRoomsOfType } from "../../storage/events.ts";
import { listRoomsById } from "../../storage/rooms.ts";
import { groupBy } from "../../util/group-by.ts";
import type { Requester } from "../accounts/requester.ts";
import { listAllowedRooms } from "../admin/can.ts";
import { openEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import {
  isAccessible,
  isSpace,
  readRoomViews,
  type RoomView,
} from "./room-view.ts";
import { sortChildren } from "./space-children.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** Rooms of one walk. What comes after them is left out. */
const MOST_ROOMS = 5_000;
/** Events that name children, of the rooms of one level. */
const MOST_CHILDREN = 10_000;

export interface Walk {
  maxDepth: number;
  isSuggestedOnly: boolean;
}

/**
 * The rooms that a viewer may know of beneath a space, each once and children right
 * behind their parent. They are read level by level, so that the queries are as many
 * for any number of rooms.
 */
export async function walkSpace(
  edges: Needs,
  viewer: Viewer,
  rootNid: number,
  { maxDepth, isSuggestedOnly }: Walk,
): Promise<number[]> {
  const childrenOf = new Map<number, readonly string[]>();
  const nidOf = new Map<string, number>();
  let level = [rootNid];
  for (let depth = 0; level.length > 0; depth += 1) {
    const views = await readAccessible(edges, viewer, level);
    const spaces = depth < maxDepth ? views.filter(isSpace) : [];
    const children = await readChildren(edges, spaces, isSuggestedOnly);
    for (const { room } of views) {
      nidOf.set(room.roomId, room.roomNid);
      const ids = children.get(room.roomNid)?.map((each) => each.stateKey!);
      childrenOf.set(room.roomNid, ids ?? []);
    }
    const next = await listRoomsById(edges.db, unseen(children, nidOf));
    const left = MOST_ROOMS - childrenOf.size;
    level = next
      .map(({ roomNid }) => roomNid)
      .filter((roomNid) => !childrenOf.has(roomNid))
      .slice(0, left);
  }
  return inOrder(rootNid, childrenOf, nidOf);
}

/** A user, or an administrator, who sees what rooms they may read by their powers. */
export type Viewer = string | Requester;

/** The views of those rooms that their viewer may know of. */
export async function readAccessible(
  edges: Needs,
  viewer: Viewer,
  roomNids: readonly number[],
): Promise<RoomView[]> {
  const isUser = typeof viewer === "string";
  const views = await readRoomViews(
    edges,
    isUser ? viewer : undefined,
    roomNids,
  );
  const isSeen = isUser
    ? isAccessible
    : await seenByPower(edges, viewer, [...views.values()]);
  return roomNids.flatMap((roomNid) => {
    const view = views.get(roomNid);
    return view && isSeen(view) ? [view] : [];
  });
}

async function seenByPower(
  edges: Needs,
  viewer: Requester,
  views: readonly RoomView[],
): Promise<(view: RoomView) => boolean> {
  const rooms = views.map(({ room }) => room);
  const readable = await listAllowedRooms(edges, viewer, "rooms.read", rooms);
  return ({ room, isWithheld }) => !isWithheld && readable.has(room.roomNid);
}

/** The children of each of these spaces, in their order. */
export async function readChildren(
  edges: Needs,
  spaces: readonly RoomView[],
  isSuggestedOnly: boolean,
): Promise<Map<number, StoredEvent[]>> {
  const heads = await listStateOfRoomsOfType(
    edges.db,
    spaces.map(({ room }) => room.roomNid),
    "m.space.child",
    MOST_CHILDREN,
  );
  const events = await openEvents(edges, heads);
  const byRoom = groupBy(events, ({ roomNid }) => roomNid);
  return new Map(
    [...byRoom].map(([roomNid, list]) => [
      roomNid,
      sortChildren(list, isSuggestedOnly),
    ]),
  );
}

const unseen = (
  children: ReadonlyMap<number, readonly StoredEvent[]>,
  nidOf: ReadonlyMap<string, number>,
): string[] => {
  const ids = [...children.values()].flatMap((list) =>
    list.map(({ stateKey }) => stateKey!),
  );
  return [...new Set(ids)].filter((id) => isRoomId(id) && !nidOf.has(id));
};

function inOrder(
  rootNid: number,
  childrenOf: ReadonlyMap<number, readonly string[]>,
  nidOf: ReadonlyMap<string, number>,
): number[] {
  const order = new Set<number>();
  const stack = [rootNid];
  for (let nid = stack.pop(); nid !== undefined; nid = stack.pop()) {
    if (order.has(nid) || !childrenOf.has(nid)) continue;
    order.add(nid);
    for (const id of childrenOf.get(nid)!.toReversed()) {
      const child = nidOf.get(id);
      if (child !== undefined) stack.push(child);
    }
  }
  return [...order];
}
