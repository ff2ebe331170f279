import { expect } from "chai";
import type { Answer, Json, TestClient } from "./server.ts";
import type { SyncEvent } from "./sync-reader.ts";

export const SLIDING_SYNC =
  "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

export interface SlidingRoom {
  initial?: true;
  membership: string;
  bump_stamp: number;
  name?: string | null;
  avatar?: string | null;
  heroes?: { user_id: string; displayname?: string; avatar_url?: string }[];
  is_dm?: boolean;
  unstable_expanded_timeline?: true;
  required_state?: SyncEvent[];
  timeline?: SyncEvent[];
  limited?: boolean;
  num_live?: number;
  prev_batch?: string;
  joined_count?: number;
  invited_count?: number;
  notification_count?: number;
  highlight_count?: number;
  invite_state?: SyncEvent[];
}

interface TypedContent {
  type: string;
  content: Json;
}

export interface SlidingAnswer {
  pos: string;
  lists: Record<string, { count: number }>;
  rooms: Record<string, SlidingRoom>;
  extensions: {
    to_device?: { next_batch: string; events: TypedContent[] };
    e2ee?: {
      device_lists: { changed: string[]; left: string[] };
      device_one_time_keys_count: Record<string, number>;
      device_unused_fallback_key_types: string[];
    };
    account_data?: {
      global: TypedContent[];
      rooms: Record<string, TypedContent[]>;
    };
    receipts?: { rooms: Record<string, TypedContent> };
    typing?: { rooms: Record<string, TypedContent> };
    "io.element.msc4308.thread_subscriptions"?: {
      subscribed?: Record<
        string,
        Record<string, { automatic: boolean; bump_stamp: number }>
      >;
      unsubscribed?: Record<string, Record<string, { bump_stamp: number }>>;
      prev_batch?: string;
    };
  };
}

export const askSliding = (
  client: Pick<TestClient, "post">,
  body: Json,
  query: Record<string, string | number> = {},
): Promise<Answer> => {
  const texts = Object.entries({ set_presence: "offline", ...query }).map(
    ([name, value]): [string, string] => [name, String(value)],
  );
  return client.post(`${SLIDING_SYNC}?${new URLSearchParams(texts)}`, body);
};

/** A client that follows by sliding sync, from where it was. */
export class SlidingReader {
  client: Pick<TestClient, "post">;
  pos: string | undefined;
  body: Json;

  constructor(client: Pick<TestClient, "post">, body: Json = {}) {
    this.client = client;
    this.body = body;
  }

  /** One request, which must succeed; the next one goes on from it. */
  async next(more: Json = {}, timeout = 0): Promise<SlidingAnswer> {
    const answer = await this.again(more, timeout);
    this.pos = answer.pos;
    return answer;
  }

  /** One request that the next one repeats, as if its answer had been lost. */
  async again(more: Json = {}, timeout = 0): Promise<SlidingAnswer> {
    const answer = await askSliding(
      this.client,
      { ...this.body, ...more },
      { timeout, ...(this.pos !== undefined && { pos: this.pos }) },
    );
    expect(answer.status, answer.text).to.equal(200);
    return answer.body as unknown as SlidingAnswer;
  }
}

/** One list of rooms, all of them unless a range is given. */
export const oneList = (
  config: Json = {},
  range: [number, number] = [0, 999],
): Json => ({
  lists: {
    all: { ranges: [range], timeline_limit: 10, required_state: [], ...config },
  },
});
