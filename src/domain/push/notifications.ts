import type { Edges } from "../../edges.ts";
import { parsePowerLevels, userPowerLevel } from "../../core/power-levels.ts";
import { evaluatePushRules } from "../../core/push/evaluate.ts";
import type { PushAction } from "../../core/push/ruleset.ts";
import { asksForThreads } from "../../core/push/thread-rules.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import {
  listNotificationRows,
  type NotificationRow,
} from "../../storage/notifications.ts";
import { countJoinedMembers } from "../../storage/memberships.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import type { Requester } from "../accounts/requester.ts";
import { mapEvents, openEvents } from "../rooms/event-store.ts";
import { showEvents } from "../rooms/gate.ts";
import { presentEvents } from "../rooms/present.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import { readFollowers, threadOf } from "./followed-threads.ts";
import { readRuleset } from "./push-rules.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

export interface NotificationsPage {
  /** As JSON text, the latest first. */
  notifications: string[];
  /** Where the next page begins; null where there is none. */
  next: number | null;
}

/**
 * What notified a user, the latest first, as far as the user may see it.
 * https://spec.matrix.org/v1.19/client-server-api/#listing-notifications
 */
export async function listNotifications(
  edges: Needs,
  requester: Requester,
  page: { before: number; limit: number; isHighlightOnly: boolean },
): Promise<NotificationsPage> {
  const { userId } = requester;
  if (page.limit === 0) return { notifications: [], next: null };
  const { rows, horizon } = await listNotificationRows(edges.db, userId, page);
  const last = rows.length === page.limit ? rows.at(-1)!.position : horizon;
  const opened = await mapEvents(
    edges,
    rows.map(({ nid }) => nid),
  );
  const ignored = await listIgnoredUsers(edges, userId);
  const wanted = [...opened.values()].filter(
    ({ redactedBy, sender }) =>
      redactedBy === null && sender !== userId && !ignored.has(sender),
  );
  const visible = await showEvents(edges, userId, wanted);
  const shown = new Map(visible.map((each) => [each.event.nid, each]));
  const listed = rows.filter(({ nid }) => shown.has(nid));
  const events = listed.map(({ nid }) => shown.get(nid)!);
  const texts = await presentEvents(edges, requester, events, {
    withRoomId: false,
  });
  const actionsOf = await readActions(
    edges,
    userId,
    events.map(({ event }) => event),
  );
  return {
    notifications: listed.map((row, i) => {
      const { event } = events[i]!;
      const actions = actionsOf(event) ?? plainActions(row);
      const isRead = row.position <= row.readTo;
      return `{"actions":${JSON.stringify(actions)},"event":${texts[i]},"read":${isRead},"room_id":${JSON.stringify(event.room.roomId)},"ts":${event.receivedTs}}`;
    }),
    next: last > 0 ? last : null,
  };
}

/** What today's rules say of each event; undefined where they say nothing any more. */
async function readActions(
  edges: Needs,
  userId: string,
  events: readonly StoredEvent[],
): Promise<(event: StoredEvent) => readonly PushAction[] | undefined> {
  const roomNids = [...new Set(events.map(({ roomNid }) => roomNid))];
  const [ruleset, counts, heads] = await Promise.all([
    readRuleset(edges, userId),
    countJoinedMembers(edges.db, roomNids),
    listCurrentStateOfRooms(edges.db, roomNids, [
      "m.room.create",
      "m.room.power_levels",
    ]),
  ]);
  const [state, follows] = await Promise.all([
    openEvents(edges, heads),
    readFollowers(edges, asksForThreads(ruleset) ? events.map(threadOf) : [], [
      userId,
    ]),
  ]);
  return (event) => {
    const { eventId, pdu, roomNid, room } = event;
    const find = (type: string) =>
      state.find((event) => event.roomNid === roomNid && event.type === type);
    const levels = find("m.room.power_levels");
    const { rules, roomId } = room;
    const { notify, actions } = evaluatePushRules(
      ruleset,
      { eventId, roomId, pdu },
      {
        userId,
        memberCount: counts.get(roomNid) ?? 0,
        followsThread: follows(userId, threadOf(event)),
        get senderPower() {
          const create = find("m.room.create");
          return userPowerLevel(rules, create, levels, pdu.sender);
        },
        get notificationLevels() {
          const content = levels?.pdu.content;
          return parsePowerLevels(rules, content).notifications;
        },
      },
    );
    return notify ? actions : undefined;
  };
}

/** What the rules of its time said, as far as that is known. */
const plainActions = ({ isHighlight }: NotificationRow): PushAction[] =>
  isHighlight ? ["notify", HIGHLIGHT] : ["notify"];

const HIGHLIGHT = { set_tweak: "highlight" };
