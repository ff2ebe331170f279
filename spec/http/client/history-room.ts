import fc from "fast-check";
import { relatesTo } from "../../support/relations.ts";
import {
  makePublicRoom,
  must,
  pageThrough,
  path,
} from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import type { Json, TestClient } from "../../support/server.ts";

export type HistoryClient = Pick<TestClient, "get" | "post" | "put"> & {
  userId: string;
};

type Move = "join" | "leave" | "forget" | "invite" | "kick" | "ban" | "unban";

/** Something that one of the owner's guests does, or that she does to one. */
export type Step =
  | { what: Move | "say" | "rename"; who: number }
  | { what: "visibility"; value: string }
  | { what: "rule"; value: string }
  | { what: "topic" };

export const GUESTS = 2;

const who = fc.nat(GUESTS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant("join"), who }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("leave"), who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("forget"), who }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("say"), who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("rename"), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom("invite", "kick", "ban", "unban"),
      who,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("visibility"),
      value: fc.constantFrom(
        "world_readable",
        "shared",
        "invited",
        "joined",
        "of no kind",
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("rule"),
      value: fc.constantFrom("public", "invite", "knock"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("topic") }) },
) as fc.Arbitrary<Step>;

export const steps: fc.Arbitrary<Step[]> = fc.array(step, {
  minLength: 10,
  maxLength: 30,
});

export interface HistoryRoom {
  roomId: string;
  /** The last member event of those who forgot the room, by user. */
  forgotten: ReadonlyMap<string, string>;
  /** All of it, as its owner reads it, who was always in it. */
  events: RoomEvent[];
  /** Messages that others may answer in a thread. */
  roots: readonly string[];
}

/** A room of the owner's in which guests come and go, as far as it lets them. */
export class RoomInPlay {
  readonly roomId: string;
  readonly #owner: HistoryClient;
  readonly #guests: readonly HistoryClient[];
  readonly #forgotten = new Map<string, string>();
  readonly #roots: string[] = [];
  readonly #joined = new Set<HistoryClient>();
  #steps = 0;

  private constructor(
    roomId: string,
    owner: HistoryClient,
    guests: readonly HistoryClient[],
  ) {
    this.roomId = roomId;
    this.#owner = owner;
    this.#guests = guests;
  }

  static async begin(
    owner: HistoryClient,
    guests: readonly HistoryClient[],
  ): Promise<RoomInPlay> {
    return new RoomInPlay(await makePublicRoom(owner), owner, guests);
  }

  async play(script: readonly Step[]): Promise<void> {
    for (const made of script) await this.#take(made, (this.#steps += 1));
  }

  async look(): Promise<HistoryRoom> {
    const asked = { dir: "f", limit: 200 };
    return {
      roomId: this.roomId,
      events: await pageThrough(this.#owner, this.roomId, asked),
      forgotten: this.#forgotten,
      roots: this.#roots,
    };
  }

  async #take(made: Step, at: number): Promise<void> {
    switch (made.what) {
      case "visibility":
        return this.#setState("m.room.history_visibility", {
          history_visibility: made.value,
        });
      case "rule":
        return this.#setState("m.room.join_rules", { join_rule: made.value });
      case "topic":
        return this.#setState("m.room.topic", { topic: `${at}` });
      case "say":
        return this.#say(this.#guests[made.who]!, at);
      case "rename":
        return this.#rename(this.#guests[made.who]!, at);
      default:
        return this.#move(made.what, this.#guests[made.who]!);
    }
  }

  async #setState(type: string, content: Json): Promise<void> {
    const target = path`/rooms/${this.roomId}/state/${type}/${""}`;
    await this.#owner.put(target, content);
  }

  /** The owner says something, and the guest too, if they may. */
  async #say(guest: HistoryClient, at: number): Promise<void> {
    const roots = this.#roots;
    const target = path`/rooms/${this.roomId}/send/m.room.message/${`${at}`}`;
    const root = at % 3 === 0 ? undefined : roots[at % roots.length];
    const relation = root === undefined ? {} : relatesTo("m.thread", root);
    for (const user of [this.#owner, guest]) {
      const content = { body: `a word, the ${at}th`, ...relation };
      const { body } = await user.put(target, content);
      if (root === undefined && body["event_id"] !== undefined)
        roots.push(String(body["event_id"]));
    }
  }

  async #rename(guest: HistoryClient, at: number): Promise<void> {
    // It would be a way to join.
    if (!this.#joined.has(guest)) return;
    const target = path`/rooms/${this.roomId}/state/m.room.member/${guest.userId}`;
    await guest.put(target, { membership: "join", displayname: `${at}` });
  }

  /** Joins, leaves and what else is done to a membership; notes with which one a guest forgot the room. */
  async #move(what: Move, guest: HistoryClient): Promise<void> {
    const isOwn = ["join", "leave", "forget"].includes(what);
    const { status } = await (isOwn ? guest : this.#owner).post(
      `${path`/rooms/${this.roomId}/`}${what}`,
      isOwn ? {} : { user_id: guest.userId },
    );
    if (status !== 200) return;
    if (what === "join") this.#joined.add(guest);
    if (["leave", "kick", "ban"].includes(what)) this.#joined.delete(guest);
    if (what !== "forget") return;
    const target = path`/rooms/${this.roomId}/state/m.room.member/${guest.userId}`;
    const member = must(await this.#owner.get(`${target}?format=event`));
    this.#forgotten.set(guest.userId, member["event_id"] as string);
  }
}
