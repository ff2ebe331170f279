// Sliding sync on the unstable path that clients of today use (MSC4186).
import type { Answer } from "./client.ts";
import { at, isObject, list, object, text, type JsonObject } from "./json.ts";
import type { User } from "./user.ts";

export const SLIDING_SYNC =
  "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

const WAIT_MS = 20_000;

export const trySlide = (
  user: User,
  body: JsonObject,
  query: { pos?: string | undefined; timeout?: number } = {},
): Promise<Answer> =>
  user.request("POST", SLIDING_SYNC, { query: { timeout: 0, ...query }, body });

/** A connection, which goes on from the position of its last answer. */
export class Sliding {
  readonly user: User;
  pos: string | undefined;

  constructor(user: User) {
    this.user = user;
  }

  async next(body: JsonObject, timeout = 0): Promise<JsonObject> {
    const { pos } = this;
    const answer = await trySlide(this.user, body, { pos, timeout });
    if (answer.status !== 200)
      throw new Error(`sliding sync: ${answer.status} ${answer.raw}`);
    this.pos = text(answer.body, "pos");
    return answer.body;
  }

  /** Goes on until an answer is as wanted, and returns that one. */
  async until(
    body: JsonObject,
    found: (answer: JsonObject) => boolean,
  ): Promise<JsonObject> {
    const deadline = Date.now() + WAIT_MS;
    let last: JsonObject = {};
    while (Date.now() < deadline) {
      last = await this.next(body, 4_000);
      if (found(last)) return last;
    }
    const shown = JSON.stringify(last).slice(0, 1_000);
    throw new Error(`never seen in sliding sync; last: ${shown}`);
  }
}

export const oneList = (
  more: JsonObject = {},
  range: [number, number] = [0, 99],
): JsonObject => ({
  lists: {
    all: { ranges: [range], timeline_limit: 10, required_state: [], ...more },
  },
});

export const roomsIn = (answer: JsonObject): string[] => {
  const rooms = at(answer, "rooms");
  return isObject(rooms) ? Object.keys(rooms) : [];
};

export const roomIn = (answer: JsonObject, roomId: string): JsonObject =>
  object(answer, "rooms", roomId);

export const countIn = (answer: JsonObject): unknown =>
  at(answer, "lists", "all", "count");

export const slidingTimeline = (
  answer: JsonObject,
  roomId: string,
): JsonObject[] => list(answer, "rooms", roomId, "timeline");

/** The places of state that a room shows, sorted: `type|state key`. */
export const placesIn = (answer: JsonObject, roomId: string): string[] =>
  list(answer, "rooms", roomId, "required_state")
    .map((event) => `${text(event, "type")}|${text(event, "state_key")}`)
    .toSorted();

/** A request of one extension alone. */
export const extension = (name: string, more: JsonObject = {}): JsonObject => ({
  extensions: { [name]: { enabled: true, ...more } },
});
