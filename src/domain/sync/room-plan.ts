import type { Edges } from "../../edges.ts";
import { escapeText } from "../../storage/json-text.ts";
import type { MembershipRecord } from "../../storage/memberships.ts";
import {
  listChangedRooms,
  listOwnMembershipChanges,
} from "../../storage/sync-changes.ts";
import { mapEvents } from "../rooms/event-store.ts";

export type Standing = MembershipRecord & { roomId: string };

/** A joined or left room whose events a sync shows, and from where. */
export interface RoomPlan {
  roomNid: number;
  roomId: string;
  section: "join" | "leave";
  /** The client knows nothing of it yet: state in full. */
  isNew: boolean;
  /** Its earlier history is a gap that the client may page through. */
  isNewlyJoined: boolean;
  /** Positions above this one are news; 0 where all of it is. */
  after: number;
  upTo: number;
  /** Where the user's own member event stands. */
  ownPosition: number;
  /** State is told as it was at the latest here; null: none of it may be seen. */
  stateUpTo: number | null;
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

/** The joined rooms in which something happened: nobody came or went in any other. */
export const changedRooms = ({ rooms }: SyncPlan): number[] =>
  rooms.flatMap(({ section, roomNid }) => (section === "join" ? roomNid : []));

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

/**
 * Sorts a user's rooms by what a sync owes them. What it costs depends on what
 * changed: untouched rooms are told apart in memory, or in one query for an old token.
 * No standing may be newer than `upTo`.
 */
export async function planRooms(
  edges: Needs,
  userId: string,
  all: readonly Standing[],
  since: number | null,
  upTo: number,
  options: {
    isFullState: boolean;
    includeLeft: boolean;
    also: ReadonlySet<number>;
    /** Rooms that the client has to be told of anew. */
    returned: ReadonlySet<number>;
  },
): Promise<SyncPlan> {
  const standings = all.filter(({ isForgotten }) => !isForgotten);
  const joined = standings.filter(({ membership }) => membership === "join");
  const { returned } = options;
  const isNews = ({ position }: Standing) => since === null || position > since;
  const isNewOrBack = (s: Standing) => isNews(s) || returned.has(s.roomNid);
  const invited = standings.filter(
    (s) => s.membership === "invite" && isNewOrBack(s),
  );
  const knocked = standings.filter(
    (s) => s.membership === "knock" && isNewOrBack(s),
  );
  const hasLeft = ({ membership }: Standing) =>
    membership === "leave" || membership === "ban";
  // A leave is news even of a room that was forgotten right after it.
  const left =
    since === null
      ? standings.filter((s) => options.includeLeft && hasLeft(s))
      : all.filter((s) => hasLeft(s) && isNews(s));
  const own = await ownHistories(
    edges,
    userId,
    since === null ? left : all.filter(isNews),
    since ?? 0,
  );
  const wasJoined = ({ roomNid }: Standing) =>
    !returned.has(roomNid) && (own.get(roomNid)?.before ?? "join") === "join";

  const leavePlans = left.map((s): RoomPlan => {
    const { before, leftAt } = own.get(s.roomNid) ?? {
      before: "join",
      leftAt: s.position,
    };
    const isNew = since === null || before !== "join";
    return {
      ...planOf(s, "leave", isNew, since ?? 0, s.position),
      stateUpTo: leftAt,
    };
  });
  if (since === null) {
    const rooms = joined.map((s) => planOf(s, "join", true, 0, upTo));
    return {
      joined,
      rooms: [...rooms, ...leavePlans],
      invited,
      knocked,
      newlyJoined: [],
      newlyLeft: [],
    };
  }
  const changed = await findTouched(edges, joined, since, upTo);
  const rooms: RoomPlan[] = [];
  for (const s of joined) {
    if (!wasJoined(s)) {
      rooms.push({ ...planOf(s, "join", true, 0, upTo), isNewlyJoined: true });
    } else if (
      options.isFullState ||
      changed.has(s.roomNid) ||
      options.also.has(s.roomNid)
    ) {
      rooms.push(planOf(s, "join", options.isFullState, since, upTo));
    }
  }
  return {
    joined,
    rooms: [...rooms, ...leavePlans],
    invited,
    knocked,
    newlyJoined: joined
      .filter((s) => !wasJoined(s))
      .map(({ roomNid }) => roomNid),
    // Who was taken out and invited again, or knocks, is out too.
    newlyLeft: all
      .filter((s) => s.membership !== "join" && isNews(s) && wasJoined(s))
      .map(({ roomNid }) => roomNid),
  };
}

const planOf = (
  { roomNid, roomId, position }: Standing,
  section: RoomPlan["section"],
  isNew: boolean,
  after: number,
  upTo: number,
): RoomPlan => ({
  roomNid,
  roomId,
  section,
  isNew,
  after,
  upTo,
  ownPosition: position,
  stateUpTo: upTo,
  isNewlyJoined: false,
});

async function findTouched(
  { db, notifier }: Needs,
  joined: readonly Standing[],
  since: number,
  upTo: number,
): Promise<Set<number>> {
  const roomNids = joined.map(({ roomNid }) => roomNid);
  const recent = notifier.changesSince(since);
  if (recent)
    return new Set(roomNids.filter((roomNid) => recent.roomNids.has(roomNid)));
  return new Set(await listChangedRooms(db, roomNids, since, upTo));
}

interface OwnHistory {
  /** The membership that the user had at `since`. */
  before: string;
  /** Where the user last went out of the room; null if never in it since. */
  leftAt: number | null;
}

/** How the user's own membership of some rooms went on after `since`. */
async function ownHistories(
  edges: Needs,
  userId: string,
  rooms: readonly Standing[],
  since: number,
): Promise<Map<number, OwnHistory>> {
  const changes = await listOwnMembershipChanges(
    edges.db,
    escapeText(userId),
    rooms.map(({ roomNid }) => roomNid),
    since,
  );
  const events = await mapEvents(
    edges,
    changes.flatMap(({ oldNid, newNid }) =>
      [oldNid, newNid].filter((nid) => nid !== null),
    ),
  );
  const membershipOf = (nid: number | null): string => {
    const membership =
      nid === null ? undefined : events.get(nid)?.pdu.content["membership"];
    return typeof membership === "string" ? membership : "leave";
  };
  const histories = new Map<number, OwnHistory>();
  for (const { roomNid, position, oldNid, newNid } of changes) {
    let history = histories.get(roomNid);
    if (!history) {
      histories.set(
        roomNid,
        (history = { before: membershipOf(oldNid), leftAt: null }),
      );
    }
    if (membershipOf(oldNid) === "join" && membershipOf(newNid) !== "join")
      history.leftAt = position;
  }
  return histories;
}
