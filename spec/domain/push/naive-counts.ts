import { defaultPushRules } from "../../../src/core/push/default-rules.ts";
import { evaluatePushRules } from "../../../src/core/push/evaluate.ts";
import type { PushRuleset } from "../../../src/core/push/ruleset.ts";
import type { Pdu } from "../../../src/core/event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { RoomUnread } from "../../../src/domain/push/unread-counts.ts";

interface Said {
  eventId: string;
  sender: string;
  thread: string;
  /** No thread may begin at it. */
  isRelated: boolean;
  isCountable: boolean;
  isRedacted: boolean;
  outcomes: Map<string, { notify: boolean; highlight: boolean }>;
}

/** Counts as the specification tells them: every rule of every member, for every event. */
export class NaiveRoom {
  readonly said: Said[] = [];
  readonly joinedAt = new Map<string, number>();
  readonly #receipts: { userId: string; thread: string; at: number }[] = [];
  readonly roomId: string;
  readonly #creator: string;

  constructor(roomId: string, creator: string, members: readonly string[]) {
    this.roomId = roomId;
    this.#creator = creator;
    for (const userId of members) this.joinedAt.set(userId, -1);
  }

  say(
    eventId: string,
    event: {
      type: string;
      sender: string;
      content: JsonObject;
      state_key?: string;
    },
    rulesOf: (userId: string) => PushRuleset,
  ): void {
    const evaluate = (userId: string, ruleset: PushRuleset) =>
      evaluatePushRules(
        ruleset,
        { eventId, roomId: this.roomId, pdu: event as unknown as Pdu },
        {
          userId,
          memberCount: this.joinedAt.size,
          senderPower: event.sender === this.#creator ? 100 : 0,
          notificationLevels: new Map(),
        },
      );
    const stranger = "@stranger:test";
    this.said.push({
      eventId,
      sender: event.sender,
      thread: this.#threadOf(event.content),
      isRelated: event.content["m.relates_to"] !== undefined,
      isCountable: evaluate(stranger, defaultPushRules(stranger)).notify,
      isRedacted: false,
      outcomes: new Map(
        [...this.joinedAt.keys()].map((userId) => [
          userId,
          evaluate(userId, rulesOf(userId)),
        ]),
      ),
    });
  }

  #threadOf(content: JsonObject): string {
    const relation = content["m.relates_to"] as JsonObject | undefined;
    const target = relation?.["event_id"];
    if (relation?.["rel_type"] === "m.thread") return String(target);
    return (
      this.said.find(({ eventId }) => eventId === target)?.thread ?? "main"
    );
  }

  join(userId: string): void {
    this.joinedAt.set(userId, this.said.length - 1);
  }

  leave(userId: string): void {
    this.joinedAt.delete(userId);
  }

  receive(userId: string, at: number, thread: string): void {
    this.#receipts.push({ userId, at, thread });
  }

  unread(userId: string, ignored: ReadonlySet<string>): RoomUnread {
    const none = () => ({ notification_count: 0, highlight_count: 0 });
    const room = none();
    const threads: RoomUnread["threads"] = {};
    this.said.forEach((event, at) => {
      if (event.isRedacted || ignored.has(event.sender)) return;
      if (at <= this.#readTo(userId, event.thread)) return;
      const outcome = event.outcomes.get(userId);
      if (!outcome?.notify) return;
      const counts =
        event.thread === "main" ? room : (threads[event.thread] ??= none());
      counts.notification_count += 1;
      counts.highlight_count += Number(outcome.highlight);
    });
    return { room, threads };
  }

  /** Events that notified a member since they came, and whether they were read. */
  notifications(
    userId: string,
    ignored: ReadonlySet<string>,
  ): [eventId: string, isRead: boolean][] {
    const since = this.joinedAt.get(userId) ?? Infinity;
    return this.said.flatMap((event, at): [string, boolean][] => {
      if (at <= since || event.isRedacted) return [];
      if (event.sender === userId || ignored.has(event.sender)) return [];
      if (!event.outcomes.get(userId)?.notify) return [];
      return [[event.eventId, at <= this.#readTo(userId, event.thread)]];
    });
  }

  #readTo(userId: string, thread: string): number {
    const receipts = this.#receipts.filter(
      (receipt) =>
        receipt.userId === userId && ["", thread].includes(receipt.thread),
    );
    const own = this.said.findLastIndex(
      (event) =>
        event.sender === userId && event.thread === thread && event.isCountable,
    );
    return Math.max(
      this.joinedAt.get(userId) ?? Infinity,
      own,
      ...receipts.map(({ at }) => at),
    );
  }
}
