import type { Edges } from "../../edges.ts";
import { escapeText } from "../../storage/json-text.ts";
import { listMembershipsOf, type MembershipRecord } from "../../storage/memberships.ts";
import { listChangedRooms, listOwnMembershipChanges } from "../../storage/sync-changes.ts";
import { mapEvents } from "../rooms/event-store.ts";

type Standing = MembershipRecord & { roomId: string };

/** A joined or left room whose events a sync shows, and from where. */
export interface RoomPlan {
  roomNid: number;
  roomId: string;
  section: "join" | "leave";
  /** The client knows nothing of it yet: state in full. */
  isNew: boolean;
  /** Positions above this one are news; 0 where all of it is. */
  after: number;
  upTo: number;
}

/** Which rooms a sync has to look at. */
export interface SyncPlan {
  joined: Standing[];
  rooms: RoomPlan[];
  invited: Standing[];
  knocked: Standing[];
  /** Rooms that came into or went out of the user's sight. */
  newlyJoined: number[];
  newlyLeft: number[];
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

/**
 * Sorts a user's rooms by what a sync owes them. What it costs depends on what
 * changed: untouched rooms are told apart in memory, or in one query for an old token.
 */
export async function planRooms(
  edges: Needs,
  userId: string,
  since: number | null,
  upTo: number,
  options: { isFullState: boolean; includeLeft: boolean; also: ReadonlySet<number> },
): Promise<SyncPlan> {
  const all = (await listMembershipsOf(edges.db, userId)).filter(({ position }) => position <= upTo);
  const standings = all.filter(({ isForgotten }) => !isForgotten);
  const joined = standings.filter(({ membership }) => membership === "join");
  const isNews = ({ position }: Standing) => since === null || position > since;
  const invited = standings.filter((s) => s.membership === "invite" && isNews(s));
  const knocked = standings.filter((s) => s.membership === "knock" && isNews(s));
  const left = standings.filter(({ membership }) => membership === "leave" || membership === "ban");

  if (since === null) {
    const rooms = joined.map((s) => planOf(s, "join", true, 0, upTo));
    if (options.includeLeft) rooms.push(...left.map((s) => planOf(s, "leave", true, 0, s.position)));
    return { joined, rooms, invited, knocked, newlyJoined: [], newlyLeft: [] };
  }

  const before = await membershipsAt(edges, userId, all.filter(isNews), since);
  const wasJoined = ({ roomNid }: Standing) =>
    !before.has(roomNid) || before.get(roomNid) === "join";
  const changed = await changedRooms(edges, joined, since, upTo);
  const rooms: RoomPlan[] = [];
  for (const s of joined) {
    const isNew = !wasJoined(s);
    if (isNew) rooms.push(planOf(s, "join", true, 0, upTo));
    else if (options.isFullState || changed.has(s.roomNid) || options.also.has(s.roomNid)) {
      rooms.push(planOf(s, "join", options.isFullState, since, upTo));
    }
  }
  for (const s of left) {
    if (isNews(s)) rooms.push(planOf(s, "leave", false, since, s.position));
  }
  return {
    joined,
    rooms,
    invited,
    knocked,
    newlyJoined: joined.filter((s) => !wasJoined(s)).map(({ roomNid }) => roomNid),
    newlyLeft: left.filter((s) => isNews(s) && wasJoined(s)).map(({ roomNid }) => roomNid),
  };
}

const planOf = (
  { roomNid, roomId }: Standing,
  section: RoomPlan["section"],
  isNew: boolean,
  after: number,
  upTo: number,
): RoomPlan => ({ roomNid, roomId, section, isNew, after, upTo });

async function changedRooms(
  { db, notifier }: Needs,
  joined: readonly Standing[],
  since: number,
  upTo: number,
): Promise<Set<number>> {
  const roomNids = joined.map(({ roomNid }) => roomNid);
  const recent = notifier.changesSince(since);
  if (recent) return new Set(roomNids.filter((roomNid) => recent.roomNids.has(roomNid)));
  return new Set(await listChangedRooms(db, roomNids, since, upTo));
}

/** The membership that the user had at `since`, for rooms where it changed later. */
async function membershipsAt(
  edges: Needs,
  userId: string,
  changed: readonly Standing[],
  since: number,
): Promise<Map<number, string>> {
  const changes = await listOwnMembershipChanges(
    edges.db,
    escapeText(userId),
    changed.map(({ roomNid }) => roomNid),
    since,
  );
  const first = new Map<number, number | null>();
  for (const { roomNid, oldNid } of changes) {
    if (!first.has(roomNid)) first.set(roomNid, oldNid);
  }
  const events = await mapEvents(edges, [...first.values()].filter((nid) => nid !== null));
  const memberships = new Map<number, string>();
  for (const [roomNid, oldNid] of first) {
    const membership = oldNid === null ? undefined : events.get(oldNid)?.pdu.content["membership"];
    memberships.set(roomNid, typeof membership === "string" ? membership : "leave");
  }
  return memberships;
}
