import type { Edges } from "../../../edges.ts";
import { escapeText } from "../../../storage/json-text.ts";
import type { Span } from "../../../storage/span.ts";
import type { Requester } from "../../accounts/requester.ts";
import { formatPositionToken } from "../../rooms/paging-token.ts";
import { presentDelta } from "../quick-entries.ts";
import { readQuickUnread } from "../quick-unread.ts";
import { readRoomDeltas, type RoomDelta } from "../room-delta.ts";
import type { UserView } from "../user-view.ts";
import { BARE, type RoomResult, writeRoomEntry } from "./room-result.ts";
import type { RoomTask } from "./room-tasks.ts";

type Needs = Pick<
  Edges,
  "db" | "keyring" | "memory" | "notifier" | "now" | "settings"
>;

/** A room that got plain messages and receipts of others alone. */
interface QuickRoom {
  task: RoomTask;
  delta: RoomDelta;
}

export interface QuickRooms {
  rooms: QuickRoom[];
  /** The others. */
  rest: RoomTask[];
}

const MOST_QUICK = 50;
const MEMBER = "m.room.member";

/**
 * The rooms whose news is known to this process, or is read once for all who wait for it:
 * the client has all that came before, and knows the senders.
 */
export async function findQuickRooms(
  edges: Needs,
  { userId }: Requester,
  tasks: readonly RoomTask[],
  { ignored, upTo }: UserView,
  since: number,
): Promise<QuickRooms> {
  const live = tasks.filter(isLive);
  // What happened since is looked through batch by batch.
  const spans =
    live.length > 0 ? edges.notifier.spansBetween(since, upTo) : undefined;
  const wanted = new Map<number, Span>();
  for (const { room } of live) {
    const span = spans?.get(room.standing.roomNid);
    if (span) wanted.set(room.standing.roomNid, span);
  }
  if (wanted.size === 0 || wanted.size > MOST_QUICK)
    return { rooms: [], rest: [...tasks] };
  const deltas = await readRoomDeltas(edges, wanted);
  const rooms: QuickRoom[] = [];
  const rest: RoomTask[] = [];
  for (const task of tasks) {
    const delta = deltas.get(task.room.standing.roomNid);
    const isQuick =
      delta &&
      delta.events.length <= task.config.timelineLimit &&
      !delta.events.some(({ sender }) => ignored.has(sender)) &&
      !delta.receipts.some((receipt) => receipt.userId === userId) &&
      (await areSendersKnown(task, delta));
    if (isQuick) rooms.push({ task, delta });
    else rest.push(task);
  }
  return { rooms, rest };
}

/** Nothing is owed to the client but what came since its token. */
const isLive = ({ room, sent, added, isExpanded, isDirect }: RoomTask) =>
  room.kind === "join" &&
  sent?.kind === "join" &&
  sent.position === null &&
  sent.isDirect === isDirect &&
  added.length === 0 &&
  !isExpanded;

async function areSendersKnown(
  { room, config, sent }: RoomTask,
  { events, readMemberNids }: RoomDelta,
): Promise<boolean> {
  if (!config.required.isLazy || events.length === 0) return true;
  const members = (await readMemberNids()).get(room.standing.roomNid);
  return events.every(({ sender }) => {
    const nid = members?.get(sender);
    return (
      nid === undefined ||
      sent!.members.includes(nid) ||
      config.required.matches(MEMBER, escapeText(sender))
    );
  });
}

/** Their entries, without a query where all is remembered. */
export async function presentQuickRooms(
  edges: Needs,
  requester: Requester,
  view: UserView,
  rooms: readonly QuickRoom[],
  since: number,
): Promise<RoomResult[]> {
  const spoken = rooms.filter(({ delta }) => delta.events.length > 0);
  const unread = await readQuickUnread(
    edges,
    { requester, since, byThread: false },
    view,
    spoken.map(({ task, delta }) => ({ room: task.room.standing, delta })),
  );
  return rooms.map(({ task, delta }) => {
    const { room, sent } = task;
    const { standing } = room;
    const first = delta.events[0]?.position;
    const timeline = presentDelta(edges, { requester }, standing, delta);
    const text =
      timeline.length === 0
        ? null
        : writeRoomEntry({
            ...BARE,
            kind: "join",
            membership: "join",
            bumpStamp: room.bump,
            unread: unread.get(standing.roomNid)?.room,
            timeline,
            liveCount: timeline.length,
            prevBatch: formatPositionToken((first ?? view.upTo + 1) - 1),
          });
    return {
      roomNid: standing.roomNid,
      roomId: standing.roomId,
      text,
      sent: sent!,
      isFresh: false,
      firstPosition: null,
    };
  });
}
