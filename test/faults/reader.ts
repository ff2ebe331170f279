import type { Client } from "./client.ts";
import { pageBack } from "./paging.ts";

interface Timeline {
  events: { event_id: string }[];
  limited: boolean;
  prev_batch: string;
}

interface SyncAnswer {
  next_batch: string;
  rooms?: { join?: Record<string, { timeline: Timeline }> };
  to_device?: { events: { sender: string; content: { number: number } }[] };
}

const path = encodeURIComponent;

/** A client that follows /sync from token to token and keeps what it was shown. */
export class Reader {
  readonly client: Client;
  readonly #filter: string;
  #since = "";
  /** Room → ids of the events in the order in which they came. */
  readonly seen = new Map<string, string[]>();
  readonly messages: { sender: string; number: number }[] = [];
  syncs = 0;
  limitedSyncs = 0;

  constructor(client: Client, timelineLimit: number) {
    this.client = client;
    const filter = { room: { timeline: { limit: timelineLimit } } };
    this.#filter = path(JSON.stringify(filter));
  }

  /** The sync whose events are not counted. */
  async begin(): Promise<void> {
    const answer = await this.#sync(0, "");
    this.#since = answer.next_batch;
  }

  /** One sync, with what its limited timelines left out; true if it told anything. */
  async follow(timeoutMs = 2000): Promise<boolean> {
    const since = `&since=${path(this.#since)}`;
    const answer = await this.#sync(timeoutMs, since);
    const rooms = Object.entries(answer.rooms?.join ?? {});
    const filled = await Promise.all(
      rooms.map(([roomId, { timeline }]) => this.#fill(roomId, timeline)),
    );
    rooms.forEach(([roomId], i) => {
      const ids = [...(this.seen.get(roomId) ?? []), ...filled[i]!];
      this.seen.set(roomId, ids);
    });
    const messages = answer.to_device?.events ?? [];
    for (const { sender, content } of messages)
      this.messages.push({ sender, number: content.number });
    this.#since = answer.next_batch;
    this.syncs += 1;
    return filled.some((ids) => ids.length > 0) || messages.length > 0;
  }

  async #sync(timeoutMs: number, more: string): Promise<SyncAnswer> {
    const query = `/sync?set_presence=offline&timeout=${timeoutMs}`;
    const asked = `${query}&filter=${this.#filter}${more}`;
    return (await this.client.must("GET", asked)) as unknown as SyncAnswer;
  }

  async #fill(roomId: string, timeline: Timeline): Promise<string[]> {
    const ids = timeline.events.map((event) => event.event_id);
    if (!timeline.limited) return ids;
    this.limitedSyncs += 1;
    const { prev_batch: from } = timeline;
    const range = { from, to: this.#since };
    const events = await pageBack(this.client, roomId, range);
    return [...events.map((event) => event.event_id).reverse(), ...ids];
  }
}
