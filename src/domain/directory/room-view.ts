import type { Edges } from "../../edges.ts";
import { allowedRoomIds } from "../../core/allowed-rooms.ts";
import type { JsonObject } from "../../core/json.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import {
  countJoinedMembers,
  listJoinedAmongRooms,
  listMembershipsIn,
  type Membership,
} from "../../storage/memberships.ts";
import { listWithheld, type PolicyEdges } from "../policies/enforce.ts";
import { openEvents } from "../rooms/event-store.ts";
import {
  mapRoomIdentities,
  type RoomIdentity,
} from "../rooms/room-identity.ts";
import {
  type PublicRoom,
  publicRoomOf,
  ROOM_FACTS,
  type RoomFacts,
} from "./public-room.ts";

type Needs = PolicyEdges;

/** What somebody outside of a room may come to know of it. */
export interface RoomView {
  room: RoomIdentity;
  facts: RoomFacts;
  membership: Membership | undefined;
  /** Whether they are in a room whose members may join this one. */
  isInAllowedRoom: boolean;
  /** A policy withholds it at the moment. */
  isWithheld?: true;
}

/** A room as previews of it show it. */
export type RoomPreview = PublicRoom & {
  allowed_room_ids?: string[];
  encryption?: string;
  room_version: string;
};

const FACTS = [...ROOM_FACTS, "m.room.encryption"];
/** How rooms look to a viewer, with queries that are as many for any number of rooms. */
export async function readRoomViews(
  edges: Needs,
  viewer: string | undefined,
  roomNids: readonly number[],
): Promise<Map<number, RoomView>> {
  const nids = [...new Set(roomNids)];
  const rooms = await mapRoomIdentities(edges, nids);
  const heads = await listCurrentStateOfRooms(edges.db, nids, FACTS);
  const facts = new Map<number, Map<string, JsonObject>>();
  for (const { roomNid, type, pdu } of await openEvents(edges, heads)) {
    let of = facts.get(roomNid);
    if (!of) facts.set(roomNid, (of = new Map()));
    of.set(type, pdu.content);
  }
  const views = new Map<number, RoomView>();
  for (const [roomNid, room] of rooms) {
    views.set(roomNid, {
      room,
      facts: facts.get(roomNid) ?? new Map(),
      membership: undefined,
      isInAllowedRoom: false,
    });
  }
  if (viewer !== undefined) await addStanding(edges, viewer, views);
  const reader = viewer ?? edges.asker?.userId ?? "";
  for (const roomNid of await listWithheld(edges, reader, nids)) {
    const view = views.get(roomNid);
    if (view) view.isWithheld = true;
  }
  return views;
}

async function addStanding(
  { db }: Needs,
  viewer: string,
  views: ReadonlyMap<number, RoomView>,
): Promise<void> {
  const memberships = await listMembershipsIn(db, viewer, [...views.keys()]);
  for (const { roomNid, membership } of memberships)
    views.get(roomNid)!.membership = membership;
  const all = [...views.values()].flatMap((view) => allowedRoomsOf(view) ?? []);
  const joined = new Set(
    await listJoinedAmongRooms(db, viewer, [...new Set(all)]),
  );
  for (const view of views.values()) {
    const allowed = allowedRoomsOf(view) ?? [];
    view.isInAllowedRoom = allowed.some((roomId) => joined.has(roomId));
  }
}

const textOf = ({ facts }: RoomView, type: string, key: string) =>
  facts.get(type)?.[key];

const joinRuleOf = (view: RoomView) =>
  textOf(view, "m.room.join_rules", "join_rule");

const isWorldReadable = (view: RoomView): boolean =>
  textOf(view, "m.room.history_visibility", "history_visibility") ===
  "world_readable";

/** Rooms whose members may join; undefined where the join rule is another one. */
const allowedRoomsOf = ({ room, facts }: RoomView): string[] | undefined =>
  allowedRoomIds(room.rules, facts.get("m.room.join_rules"));

/** Whether anyone may join a room, or read it without. */
export const isOpenToAll = (view: RoomView): boolean =>
  joinRuleOf(view) === "public" || isWorldReadable(view);

/** Whether everyone may join, or ask to; a rule that the room version does not know is none. */
function mayAskToJoin(view: RoomView): boolean {
  const { knocking, knockRestricted } = view.room.rules.authorization;
  const rule = joinRuleOf(view);
  return (
    rule === "public" ||
    (knocking && rule === "knock") ||
    (knockRestricted && rule === "knock_restricted")
  );
}

/** Whether its viewer may know of a room: they are in it or invited, may ask to be, or may read it. */
export const isAccessible = (view: RoomView): boolean =>
  !view.isWithheld &&
  (view.membership === "join" ||
    view.membership === "invite" ||
    mayAskToJoin(view) ||
    view.isInAllowedRoom ||
    isWorldReadable(view));

/** Whether somebody without an account may know of a room. */
export const isAccessibleToAnyone = (
  view: RoomView,
  isPublished: boolean,
): boolean =>
  !view.isWithheld &&
  (isWorldReadable(view) || (isPublished && joinRuleOf(view) === "public"));

export const isSpace = (view: RoomView): boolean =>
  textOf(view, "m.room.create", "type") === "m.space";

/** The rooms as previews show them, in their order; with one query for their members. */
export async function describeRooms(
  { db }: Pick<Edges, "db">,
  views: readonly RoomView[],
): Promise<RoomPreview[]> {
  const counts = await countJoinedMembers(
    db,
    views.map(({ room }) => room.roomNid),
  );
  return views.map((view) => {
    const { room, facts } = view;
    const joinedCount = counts.get(room.roomNid) ?? 0;
    const allowed = allowedRoomsOf(view);
    const algorithm = textOf(view, "m.room.encryption", "algorithm");
    return {
      ...publicRoomOf({ ...room, joinedCount }, facts),
      ...(allowed && { allowed_room_ids: allowed }),
      // The one that there is; what a room names besides is no encryption to clients.
      ...(algorithm === "m.megolm.v1.aes-sha2" && { encryption: algorithm }),
      room_version: room.rules.version,
    };
  });
}
