import { expect } from "chai";
import fc from "fast-check";
import { makePublicRoom, path } from "../../../support/rooms.ts";
import {
  type Json,
  type TestClient,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../../support/server.ts";
import {
  type SlidingAnswer,
  SlidingReader,
  type SlidingRoom,
} from "../../../support/sliding-reader.ts";
import {
  idsOf,
  type SyncAnswer,
  type SyncEvent,
} from "../../../support/sync-reader.ts";

const WATCHER = 0;
const ROOMS = 4;
const LAZILY = [
  ["m.room.name", ""],
  ["m.room.topic", ""],
  ["m.room.member", "$LAZY"],
  ["m.room.member", "$ME"],
];
const WHOLLY = [["*", "*"]];

const act = fc.record({
  who: fc.nat({ max: 2 }),
  where: fc.nat({ max: ROOMS - 1 }),
  pick: fc.nat({ max: 20 }),
  onOther: fc.boolean(),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant("message" as const) },
    {
      weight: 9,
      arbitrary: fc.constantFrom(
        "mention",
        "reaction",
        "redaction",
        "read",
        "topic",
        "name",
        "nick",
        "leave",
        "join",
        "kick",
        "invite",
      ),
    },
  ),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** How the watcher asks after some acts. */
const glance = fc.record({
  last: fc.constantFrom<number>(0, 1, 9),
  limit: fc.constantFrom<number>(1, 3, 20),
  subscribed: fc.option(fc.nat({ max: ROOMS - 1 })),
  onOther: fc.boolean(),
  isLost: fc.boolean(),
});
type Glance = typeof glance extends fc.Arbitrary<infer T> ? T : never;

interface KnownRoom {
  membership: string;
  state: Map<string, SyncEvent>;
  /** The newest events without a gap. */
  timeline: string[];
  senders: Map<string, string>;
  told: SlidingRoom;
}

const placeOf = ({ type, state_key: key }: SyncEvent): string =>
  `${type}|${key ?? ""}`;

/** What a client makes of the answers. */
class Client {
  readonly rooms = new Map<string, KnownRoom>();

  take({ rooms }: SlidingAnswer): void {
    for (const [roomId, room] of Object.entries(rooms)) {
      const before = room.initial ? undefined : this.rooms.get(roomId);
      expect(
        before !== undefined || room.initial,
        `${roomId} is told in part, and is not known`,
      ).to.equal(true);
      this.rooms.set(roomId, merge(before, room));
    }
  }
}

function merge(before: KnownRoom | undefined, room: SlidingRoom): KnownRoom {
  const known: KnownRoom = before ?? {
    membership: "",
    state: new Map(),
    timeline: [],
    senders: new Map(),
    told: room,
  };
  for (const event of room.required_state ?? []) {
    if ("event_id" in event) known.state.set(placeOf(event), event);
    else known.state.delete(placeOf(event));
  }
  const events = room.timeline ?? [];
  for (const { event_id: id, sender } of events) known.senders.set(id, sender);
  const ids = idsOf(events);
  const at = known.timeline.indexOf(ids[0] ?? "");
  if (room.unstable_expanded_timeline && at !== -1) {
    known.timeline = [...known.timeline.slice(0, at), ...ids];
  } else if (room.limited || room.unstable_expanded_timeline) {
    known.timeline = ids;
  } else {
    expect(at, "an event is told twice").to.equal(-1);
    known.timeline.push(...ids);
  }
  known.membership = room.membership;
  known.told = { ...known.told, ...room };
  if (typeof room.name === "string") delete known.told.heroes;
  return known;
}

describe("following by sliding sync", () => {
  const server = useServer();
  let other: TestProcess;
  let runs = 0;
  let transactions = 0;
  before(async () => {
    other = await server.startProcess();
  });

  class World {
    users: TestUser[] = [];
    rooms: string[] = [];
    readonly sent: string[][] = Array.from({ length: ROOMS }, () => []);
    readonly client = new Client();
    reader!: SlidingReader;
    readonly #required: string[][];

    constructor(isLazy: boolean) {
      this.#required = isLazy ? LAZILY : WHOLLY;
    }

    async begin(): Promise<void> {
      runs += 1;
      for (const name of ["watcher", "ann", "ben"])
        this.users.push(await server.user(`${name}${runs}`));
      for (let i = 0; i < ROOMS; i += 1) {
        const roomId = await makePublicRoom(this.users[1]!);
        this.rooms.push(roomId);
        await this.users[2]!.post(path`/rooms/${roomId}/join`);
        if (i % 2 === 0)
          await this.users[WATCHER]!.post(path`/rooms/${roomId}/join`);
      }
      this.reader = new SlidingReader(this.users[WATCHER]!);
    }

    async perform({ who, where, pick, onOther, what }: Act): Promise<void> {
      const process = onOther ? other : server;
      const user: TestClient = process.as(this.users[who]!);
      const { userId } = this.users[who]!;
      const roomId = this.rooms[where]!;
      const sent = this.sent[where]!;
      const target = sent[pick % Math.max(1, sent.length)];
      const txn = `${runs}-${(transactions += 1)}`;
      const say = async (type: string, content: Json) => {
        const { body } = await user.put(
          path`/rooms/${roomId}/send/${type}/${txn}`,
          content,
        );
        if (typeof body["event_id"] === "string") sent.push(body["event_id"]);
      };
      const watcherId = this.users[WATCHER]!.userId;
      const message = { msgtype: "m.text", body: txn };
      switch (what) {
        case "message":
          return say("m.room.message", message);
        case "mention":
          return say("m.room.message", {
            ...message,
            "m.mentions": { user_ids: [watcherId] },
          });
        case "reaction":
          return say("m.reaction", {
            "m.relates_to": {
              rel_type: "m.annotation",
              event_id: target ?? "$none",
              key: txn,
            },
          });
        case "redaction":
          if (target !== undefined)
            await user.put(path`/rooms/${roomId}/redact/${target}/${txn}`, {});
          return;
        case "read":
          if (target !== undefined)
            await user.post(
              path`/rooms/${roomId}/receipt/m.read/${target}`,
              {},
            );
          return;
        case "topic":
        case "name":
          await process
            .as(this.users[1]!)
            .put(path`/rooms/${roomId}/state/${`m.room.${what}`}`, {
              [what]: pick % 3 === 0 ? "" : txn,
            });
          return;
        case "nick":
          await user.put(path`/profile/${userId}/displayname`, {
            displayname: txn,
          });
          return;
        case "leave":
        case "join":
          if (what === "leave" && who === 1) return;
          await user.post(path`/rooms/${roomId}/${what}`, {});
          return;
        case "kick":
        case "invite":
          await process
            .as(this.users[1]!)
            .post(path`/rooms/${roomId}/${what}`, { user_id: watcherId });
          return;
      }
    }

    async look(glance: Glance): Promise<SlidingAnswer> {
      const { last, limit, subscribed, onOther, isLost } = glance;
      const process = onOther ? other : server;
      this.reader.client = process.as(this.users[WATCHER]!);
      const required_state = this.#required;
      const body: Json = {
        lists: {
          all: { ranges: [[0, last]], timeline_limit: limit, required_state },
        },
        room_subscriptions:
          subscribed === null
            ? {}
            : {
                [this.rooms[subscribed]!]: {
                  timeline_limit: 5,
                  required_state,
                },
              },
      };
      if (isLost) await this.reader.again(body);
      const answer = await this.reader.next(body);
      this.client.take(answer);
      return answer;
    }

    async lookAtAll(): Promise<void> {
      const all: Glance = {
        last: 99,
        limit: 20,
        subscribed: null,
        onOther: false,
        isLost: false,
      };
      await this.look(all);
      const rest = await this.look(all);
      expect(rest.rooms, "all was told").to.deep.equal({});
    }

    async compare(): Promise<void> {
      const filter = JSON.stringify({ room: { timeline: { limit: 500 } } });
      const query = new URLSearchParams({
        filter,
        use_state_after: "true",
        set_presence: "offline",
      });
      const watcher = this.users[WATCHER]!;
      const { body } = await watcher.get(`/sync?${query}`);
      const { join, invite } = (body as unknown as SyncAnswer).rooms;
      expect(this.#with("join")).to.have.members(Object.keys(join));
      expect(this.#with("invite")).to.have.members(Object.keys(invite));
      for (const [roomId, room] of Object.entries(join)) {
        const known = this.client.rooms.get(roomId)!;
        const ids = idsOf(room.timeline.events);
        expect(known.timeline).not.to.be.empty;
        expect(known.timeline).to.deep.equal(ids.slice(-known.timeline.length));
        this.#compareState(known, room.state_after!.events);
        const { unread_notifications: unread, summary } = room as unknown as {
          unread_notifications: Json;
          summary: Json;
        };
        expect(known.told).to.include({
          ...unread,
          joined_count: summary["m.joined_member_count"],
          invited_count: summary["m.invited_member_count"],
        });
      }
    }

    #compareState(known: KnownRoom, events: readonly SyncEvent[]): void {
      const current = new Map(events.map((e) => [placeOf(e), e.event_id]));
      const told = new Map(
        [...known.state].map(([place, event]) => [place, event.event_id]),
      );
      if (this.#required === WHOLLY) {
        expect(told).to.deep.equal(current);
      } else {
        const speakers = known.timeline.map((id) => known.senders.get(id)!);
        for (const place of [
          "m.room.name|",
          "m.room.topic|",
          ...[this.users[WATCHER]!.userId, ...speakers].map(
            (userId) => `m.room.member|${userId}`,
          ),
        ])
          expect(told.get(place), place).to.equal(current.get(place));
      }
      const name = events.find(({ type }) => type === "m.room.name");
      expect(known.told.name ?? "").to.equal(name?.content["name"] ?? "");
    }

    #with = (membership: string): string[] =>
      [...this.client.rooms].flatMap(([roomId, room]) =>
        room.membership === membership ? roomId : [],
      );
  }

  for (const isLazy of [false, true]) {
    const what = isLazy ? "what the timelines need" : "the whole state";
    it(`shows the rooms, timelines, ${what} and counts that /sync tells, over two processes`, async function () {
      this.timeout(120_000);
      const rounds = fc.array(
        fc.tuple(fc.array(act, { minLength: 1, maxLength: 5 }), glance),
        { minLength: 8, maxLength: 15 },
      );
      await fc.assert(
        fc.asyncProperty(rounds, async (list) => {
          const world = new World(isLazy);
          await world.begin();
          for (const [acts, look] of list) {
            for (const one of acts) await world.perform(one);
            await world.look(look);
          }
          await world.lookAtAll();
          await world.compare();
        }),
        { numRuns: 6, endOnFailure: true },
      );
    });
  }
});
