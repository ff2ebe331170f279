import { expect } from "chai";
import type { Json, TestClient } from "./server.ts";

export interface SyncEvent {
  event_id: string;
  type: string;
  sender: string;
  state_key?: string;
  content: Json;
  unsigned?: Json;
}

export interface SyncRoom {
  state?: { events: SyncEvent[] };
  state_after?: { events: SyncEvent[] };
  timeline: { events: SyncEvent[]; limited: boolean; prev_batch: string };
  ephemeral?: { events: { type: string; content: Json }[] };
  account_data: { events: { type: string; content: Json }[] };
  summary?: Json;
}

export interface SyncAnswer {
  next_batch: string;
  rooms: {
    join: Record<string, SyncRoom>;
    leave: Record<string, SyncRoom>;
    invite: Record<string, { invite_state: { events: SyncEvent[] } }>;
    knock: Record<string, { knock_state: { events: SyncEvent[] } }>;
  };
  account_data: { events: { type: string; content: Json }[] };
  presence: { events: { type: string; sender: string; content: Json }[] };
  to_device: { events: { type: string; sender: string; content: Json }[] };
  device_lists?: { changed: string[]; left: string[] };
  device_one_time_keys_count: Record<string, number>;
  device_unused_fallback_key_types: string[];
}

export interface SyncOptions {
  filter?: object;
  timeout?: number;
  full_state?: boolean;
  use_state_after?: boolean;
}

/** A client that syncs on from where it was. */
export class SyncReader {
  client: Pick<TestClient, "get">;
  since: string | undefined;
  readonly #options: SyncOptions;

  constructor(client: Pick<TestClient, "get">, options: SyncOptions = {}) {
    this.client = client;
    this.#options = options;
  }

  /** One sync, which must succeed; the next one goes on from it. */
  async next(more: SyncOptions = {}): Promise<SyncAnswer> {
    const answer = await this.again(more);
    this.since = answer.next_batch;
    return answer;
  }

  /** One sync that the next one repeats, as if its answer had been lost. */
  async again(more: SyncOptions = {}): Promise<SyncAnswer> {
    const { filter, ...rest } = { ...this.#options, ...more };
    const query = new URLSearchParams({ set_presence: "offline" });
    if (this.since !== undefined) query.set("since", this.since);
    if (filter) query.set("filter", JSON.stringify(filter));
    for (const [name, value] of Object.entries(rest))
      query.set(name, String(value));
    const answer = await this.client.get(`/sync?${query}`);
    expect(answer.status, answer.text).to.equal(200);
    return answer.body as unknown as SyncAnswer;
  }

  /** Syncs on, waiting for news each time, until an answer satisfies. */
  async until(
    isWanted: (answer: SyncAnswer) => boolean,
    most = 50,
  ): Promise<SyncAnswer> {
    for (let i = 0; i < most; i += 1) {
      const answer = await this.next({ timeout: 5000 });
      if (isWanted(answer)) return answer;
    }
    throw new Error(`not seen in ${most} syncs`);
  }
}

export const idsOf = (events: readonly SyncEvent[] = []): string[] =>
  events.map((event) => event.event_id);
