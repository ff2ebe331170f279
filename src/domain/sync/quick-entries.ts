import type { RoomUnread } from "../push/unread-counts.ts";
import { showEvent, STRANGER } from "../rooms/gate.ts";
import { formatPositionToken } from "../rooms/paging-token.ts";
import { presentMessage } from "../rooms/present.ts";
import { receiptContents } from "./ephemeral.ts";
import { isMemberSent } from "./lazy-members.ts";
import type { QuickNews, SinceRequest } from "./quick-news.ts";
import { readQuickUnread } from "./quick-unread.ts";
import { readRoomDeltas, type RoomDelta } from "./room-delta.ts";
import { writeRoomEntry } from "./room-entry.ts";
import type { Standing } from "./room-plan.ts";
import type { AnsweredRoom, SyncEdges } from "./sync-answer.ts";
import { isRoomWanted, keepEphemeral } from "./sync-filter.ts";
import { readTypingEvents } from "./typists.ts";
import type { UserView } from "./user-view.ts";

/** A room with news, and what of it a viewer sees. */
interface Seen {
  room: Standing;
  delta: RoomDelta;
  timeline: readonly string[];
  ephemeral: readonly object[];
}

const NOTHING: RoomDelta = {
  events: [],
  countable: 0,
  notified: new Set(),
  receipts: [],
  readMemberNids: async () => new Map(),
};

/** The `join` entries of rooms with news; undefined where one of them is more than this way can tell. */
export async function readQuickEntries(
  edges: SyncEdges,
  request: SinceRequest,
  view: UserView,
  { spans, typing }: QuickNews,
  mark: number,
): Promise<AnsweredRoom[] | undefined> {
  const { filter, requester } = request;
  // What is told of typing here is the same for all who are told of it.
  if (view.ignored.size > 0 && typing.size > 0) return undefined;
  const deltas = await readRoomDeltas(edges, spans);
  const typingEvents = await readTypingEvents(edges, [...typing].sort(), mark);
  const seen: Seen[] = [];
  for (const roomNid of new Set([...spans.keys(), ...typing])) {
    const room = view.joined.get(roomNid)!;
    const delta = spans.has(roomNid) ? deltas.get(roomNid) : NOTHING;
    if (!delta || !(await isQuick(edges, request, view, room, delta)))
      return undefined;
    if (!isRoomWanted(filter, room.roomId)) continue;
    const timeline = presentDelta(edges, request, room, delta);
    const ephemeral = keepEphemeral(filter, room.roomId, [
      ...receiptEvents(delta, requester.userId),
      ...(typingEvents.has(roomNid) ? [typingEvents.get(roomNid)!] : []),
    ]);
    if (timeline.length > 0 || ephemeral.length > 0) {
      seen.push({ room, delta, timeline, ephemeral });
    }
  }
  const { unreadThreadNotifications: byThread } = filter.room.timeline;
  const since = request.since.position;
  const asked = { requester, since, byThread };
  const unread = await readQuickUnread(edges, asked, view, seen);
  return seen.map((entry) => {
    const { roomId, roomNid } = entry.room;
    const text = entryOf(request, view, entry, unread.get(roomNid));
    return { section: "join", roomId, text };
  });
}

function entryOf(
  { filter, stateAfterName }: SinceRequest,
  { upTo }: UserView,
  { delta, timeline, ephemeral }: Seen,
  unread: RoomUnread | undefined,
): string {
  const first = delta.events[0]?.position;
  return writeRoomEntry({
    timeline,
    isLimited: false,
    prevBatch: formatPositionToken(
      typeof first === "number" ? first - 1 : upTo,
    ),
    stateName: stateAfterName ?? "state",
    state: [],
    accountData: [],
    joined: {
      ephemeral,
      summary: undefined,
      unread,
      byThread: filter.room.timeline.unreadThreadNotifications,
    },
  });
}

/** Whether this viewer is shown all of the delta, and no more than it. */
async function isQuick(
  edges: SyncEdges,
  { requester, since, filter }: SinceRequest,
  { ignored }: UserView,
  { roomNid, position }: Standing,
  { events, receipts, readMemberNids }: RoomDelta,
): Promise<boolean> {
  if (events.length > filter.room.timeline.limit) return false;
  if (events.some(({ sender }) => ignored.has(sender))) return false;
  if (receipts.some(({ userId }) => ignored.has(userId))) return false;
  const { lazyLoadMembers, includeRedundantMembers } = filter.room.state;
  if (!lazyLoadMembers || events.length === 0) return true;
  if (includeRedundantMembers) return false;
  const reach = {
    from: Math.max(since.start, position),
    upTo: since.position,
  };
  const members = (await readMemberNids()).get(roomNid);
  return events.every(({ sender }) => {
    const nid = members?.get(sender);
    if (nid === undefined) return true;
    const place = { roomNid, stateKey: sender, nid };
    return isMemberSent(edges, requester, place, reach);
  });
}

/** The new messages for one viewer, who has been in the room all the while. */
export function presentDelta(
  edges: Pick<SyncEdges, "now">,
  { requester }: Pick<SinceRequest, "requester">,
  { position }: Standing,
  { events }: RoomDelta,
): string[] {
  const { userId } = requester;
  const now = edges.now();
  // Who has been in the room all the while saw it before its sender was erased.
  const standing = {
    ...STRANGER,
    membership: [{ position, value: "join" }],
  };
  return events.flatMap((event) =>
    showEvent(standing, userId, event)
      ? presentMessage(event, requester, now)
      : [],
  );
}

function receiptEvents({ receipts }: RoomDelta, userId: string): object[] {
  const shown = receipts.filter(
    (receipt) =>
      receipt.receiptType === "m.read" ||
      (receipt.receiptType === "m.read.private" && receipt.userId === userId),
  );
  return [...receiptContents(shown).values()].map((content) => ({
    type: "m.receipt",
    content,
  }));
}
