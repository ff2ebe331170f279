import type { Edges } from "../../../edges.ts";
import type { Span } from "../../../storage/span.ts";
import { listBumps } from "../../../storage/room-order.ts";
import { slot } from "../../../util/process-memory.ts";
import { WeightedCache } from "../../../util/weighted-cache.ts";
import { readIgnoredInviters } from "../../accounts/invite-permission.ts";
import { findLeavingPosition, readStandings } from "../../rooms/gate.ts";
import { readRoomDeltas } from "../room-delta.ts";
import type { Standing } from "../room-plan.ts";
import type { UserView } from "../user-view.ts";
import { isBump } from "./bump-types.ts";
import type { RoomKind } from "./sent-rooms.ts";

/** A room as it stands in a user's list. */
export interface ListedRoom {
  readonly standing: Standing;
  readonly kind: RoomKind;
  /** Its place in the order: the last proper activity, or where the membership began. */
  readonly bump: number;
  /** Where it was encrypted; null: nowhere; undefined: not known. */
  encryptedAt?: number | null | undefined;
  /** What an invite says of the room, once that was read. */
  shown?: { type: string | null; isEncrypted: boolean };
}

/** A user's rooms, those with the latest activity first. */
export interface RoomList {
  upTo: number;
  /** Of which it was made: another array where a membership changed. */
  readonly standings: readonly Standing[];
  readonly ignored: ReadonlySet<string>;
  readonly rooms: readonly ListedRoom[];
  readonly byNid: ReadonlyMap<number, ListedRoom>;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier" | "settings">;

const MOST_ROOMS = 400_000;
const lists = slot(
  () =>
    new WeightedCache<string, RoomList>(
      MOST_ROOMS,
      ({ rooms }) => 5 + rooms.length,
    ),
);

/** Of more rooms the events are not read for the order alone. */
const MOST_DELTAS = 20;

/**
 * The list at the view's position. What is remembered is moved on by what the stream
 * tells of since, so that it costs what changed.
 */
export async function readRoomList(
  edges: Needs,
  userId: string,
  view: UserView,
): Promise<RoomList> {
  const { withheld } = view;
  if (withheld) {
    const whole = await readRoomList(edges, userId, withheld.whole);
    return without(whole, withheld.roomNids);
  }
  const cache = edges.memory.of(lists);
  const known = cache.get(userId);
  if (known?.standings === view.standings && isStill(edges, known, view.upTo)) {
    known.upTo = Math.max(known.upTo, view.upTo);
    return known;
  }
  const list = await loadList(edges, userId, view, known);
  // A concurrent request may have gone further.
  if ((cache.get(userId)?.upTo ?? 0) <= list.upTo) cache.set(userId, list);
  return list;
}

const without = (list: RoomList, roomNids: ReadonlySet<number>): RoomList => ({
  ...list,
  rooms: list.rooms.filter(({ standing }) => !roomNids.has(standing.roomNid)),
  byNid: new Map([...list.byNid].filter(([nid]) => !roomNids.has(nid))),
});

/** Whether nothing has happened in the rooms of a list since. */
function isStill(
  { notifier }: Needs,
  { upTo, byNid }: RoomList,
  position: number,
): boolean {
  if (position <= upTo) return true;
  const spans = notifier.spansBetween(upTo, position);
  if (!spans) return false;
  for (const roomNid of spans.keys()) if (byNid.has(roomNid)) return false;
  return true;
}

async function loadList(
  edges: Needs,
  userId: string,
  view: UserView,
  known: RoomList | undefined,
): Promise<RoomList> {
  const standings = await listedStandings(edges, userId, view);
  const rooms = await moveOn(edges, standings, view.upTo, known);
  rooms.sort(byActivity);
  return {
    upTo: view.upTo,
    standings: view.standings,
    ignored: view.ignored,
    rooms,
    byNid: new Map(rooms.map((room) => [room.standing.roomNid, room])),
  };
}

export const byActivity = (a: ListedRoom, b: ListedRoom): number =>
  b.bump - a.bump || b.standing.roomNid - a.standing.roomNid;

export const kindOf = ({ membership }: Standing): RoomKind =>
  membership === "leave" || membership === "ban" ? "left" : membership;

/**
 * Whatever every list begins with: what the user joined, is invited to or knocks on, and
 * rooms that the user was taken out of. Who leaves knows it, and who was never in a room
 * has nothing to see of it.
 */
async function listedStandings(
  edges: Needs,
  userId: string,
  { standings, ignored }: UserView,
): Promise<Standing[]> {
  const listed: Standing[] = [];
  const takenOut: Standing[] = [];
  for (const standing of standings) {
    if (standing.isForgotten) continue;
    const kind = kindOf(standing);
    if (kind === "left") {
      if (standing.sender !== userId) takenOut.push(standing);
    } else if (kind !== "invite" || !ignored.has(standing.sender)) {
      listed.push(standing);
    }
  }
  const heard = await withoutIgnored(edges, userId, listed);
  if (takenOut.length === 0) return heard;
  const histories = await readStandings(
    edges,
    userId,
    takenOut.map(({ roomNid }) => roomNid),
  );
  return [
    ...heard,
    ...takenOut.filter(
      ({ roomNid }) =>
        findLeavingPosition(histories.get(roomNid)) !== undefined,
    ),
  ];
}

/** Without the invites that the user's filter ignores. */
async function withoutIgnored(
  edges: Needs,
  userId: string,
  standings: Standing[],
): Promise<Standing[]> {
  const isInvite = ({ membership }: Standing) => membership === "invite";
  if (!standings.some(isInvite)) return standings;
  const isIgnored = await readIgnoredInviters(edges, userId);
  return standings.filter((s) => !isInvite(s) || !isIgnored(s.sender));
}

/** The rooms with their activity at a position: what is known of them and what came since. */
async function moveOn(
  edges: Needs,
  standings: readonly Standing[],
  upTo: number,
  known: RoomList | undefined,
): Promise<ListedRoom[]> {
  const spans =
    known && known.upTo <= upTo
      ? edges.notifier.spansBetween(known.upTo, upTo)
      : undefined;
  const rooms: ListedRoom[] = [];
  const touched = new Map<number, Span>();
  const unknown: number[] = [];
  const moved: Standing[] = [];
  for (const standing of standings) {
    const { roomNid } = standing;
    const kind = kindOf(standing);
    const before = known?.byNid.get(roomNid);
    const isKnown = before?.kind === "join";
    if (kind !== "join") {
      rooms.push(
        before?.standing.position === standing.position
          ? before
          : { standing, kind, bump: standing.position },
      );
    } else if (spans && isKnown && !spans.has(roomNid)) {
      rooms.push(
        before.standing === standing ? before : { ...before, standing },
      );
    } else {
      moved.push(standing);
      const span = spans?.get(roomNid);
      if (span && isKnown) touched.set(roomNid, span);
      else unknown.push(roomNid);
    }
  }
  const { bumps, plain } = await readBumps(edges, touched, unknown, upTo);
  for (const standing of moved) {
    const { roomNid } = standing;
    const before = known?.byNid.get(roomNid);
    const isKnown = before?.kind === "join";
    const bump =
      bumps.get(roomNid) ?? (isKnown ? before.bump : standing.position);
    rooms.push({
      standing,
      kind: "join",
      bump,
      // Once encrypted, a room stays so.
      ...(isKnown && (before.encryptedAt || plain.has(roomNid))
        ? { encryptedAt: before.encryptedAt }
        : {}),
    });
  }
  return rooms;
}

/** The last activity where there was some, and the rooms that got plain messages alone. */
async function readBumps(
  edges: Needs,
  touched: ReadonlyMap<number, Span>,
  unknown: readonly number[],
  upTo: number,
): Promise<{ bumps: ReadonlyMap<number, number>; plain: Set<number> }> {
  const news = new Map<number, number>();
  const plain = new Set<number>();
  const asked = [...unknown];
  const deltas =
    touched.size <= MOST_DELTAS ? await readRoomDeltas(edges, touched) : null;
  for (const roomNid of touched.keys()) {
    const delta = deltas?.get(roomNid);
    if (!delta) {
      asked.push(roomNid);
      continue;
    }
    plain.add(roomNid);
    const newest = delta.events.findLast(({ type }) => isBump(type));
    if (newest?.position) news.set(roomNid, newest.position);
  }
  const bumps = await listBumps(edges.db, asked, upTo);
  for (const [roomNid, position] of news) bumps.set(roomNid, position);
  return { bumps, plain };
}
