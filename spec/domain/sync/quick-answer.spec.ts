import { expect } from "chai";
import fc from "fast-check";
import { parseClientFilter } from "../../../src/core/filter.ts";
import { readQuickAnswer } from "../../../src/domain/sync/quick-answer.ts";
import type { SyncRequest } from "../../../src/domain/sync/sync-request.ts";
import {
  findSyncToken,
  type SyncToken,
} from "../../../src/domain/sync/sync-token.ts";
import { readUserView } from "../../../src/domain/sync/user-view.ts";
import { readWholeAnswer } from "../../../src/domain/sync/whole-answer.ts";
import { requesterOf } from "../../support/requester.ts";
import { path } from "../../support/rooms.ts";
import {
  type Json,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";

const NAMES = ["ann", "ben", "cy"] as const;
const FILTERS: readonly Json[] = [
  {},
  { room: { state: { lazy_load_members: true } } },
  { room: { timeline: { unread_thread_notifications: true, limit: 2 } } },
  { room: { ephemeral: { types: ["m.receipt"] } } },
  { event_format: "federation" },
];

/** What one user does in one of two rooms; `pick` chooses an earlier event. */
const act = fc.record({
  who: fc.nat({ max: NAMES.length - 1 }),
  where: fc.nat({ max: 1 }),
  pick: fc.nat({ max: 20 }),
  what: fc.oneof(
    { weight: 8, arbitrary: fc.constant("message" as const) },
    { weight: 3, arbitrary: fc.constant("receipt" as const) },
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        "mention",
        "everybody",
        "reaction",
        "typing",
        "still",
        "thread",
        "edit",
        "reference",
        "private",
        "redaction",
        "topic",
        "nick",
        "leave",
        "join",
        "tag",
        "ignore",
        "mute",
        "keyword",
        "device",
      ),
    },
  ),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

describe("readQuickAnswer", () => {
  const server = useServer();
  let runs = 0;
  const taken = { quick: 0, news: 0, whole: 0 };

  class World {
    users: TestUser[] = [];
    rooms: string[] = [];
    sent: string[][] = [[], []];
    readers: { user: TestUser; filter: Json; since: SyncToken }[] = [];
    process!: TestProcess;

    async begin(): Promise<void> {
      runs += 1;
      this.process = server;
      for (const name of NAMES)
        this.users.push(await server.user(`${name}${runs}`));
      for (let i = 0; i < 2; i += 1) {
        const { body } = await this.users[i]!.post("/createRoom", {
          preset: "public_chat",
        });
        const roomId = String(body["room_id"]);
        this.rooms.push(roomId);
        for (const user of this.users)
          await user.post(path`/rooms/${roomId}/join`);
      }
      for (const user of this.users) {
        for (const filter of FILTERS) {
          const answer = await this.#ask(user, filter, null);
          this.readers.push({ user, filter, since: answer.token });
        }
      }
    }

    async perform({ who, where, pick, what }: Act): Promise<void> {
      const user = this.users[who]!;
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
      const text = { msgtype: "m.text", body: `text ${txn}` };
      const other = this.users[pick % NAMES.length]!.userId;
      switch (what) {
        case "message":
          return say("m.room.message", { ...text, body: "a pear" });
        case "mention":
          return say("m.room.message", {
            ...text,
            "m.mentions": { user_ids: [other] },
          });
        case "everybody":
          return say("m.room.message", {
            ...text,
            "m.mentions": { room: true },
          });
        case "reaction":
          return say("m.reaction", {
            "m.relates_to": {
              rel_type: "m.annotation",
              event_id: target ?? "$none",
              key: txn,
            },
          });
        case "thread":
          return say("m.room.message", {
            ...text,
            "m.relates_to": { rel_type: "m.thread", event_id: target ?? "$x" },
          });
        case "edit":
          return say("m.room.message", {
            ...text,
            "m.new_content": text,
            "m.relates_to": { rel_type: "m.replace", event_id: target ?? "$x" },
          });
        case "reference":
          return say("m.poll.response", {
            "m.relates_to": {
              rel_type: "m.reference",
              event_id: target ?? "$x",
            },
          });
        case "receipt":
        case "private": {
          const type = what === "receipt" ? "m.read" : "m.read.private";
          if (target !== undefined)
            await user.post(
              path`/rooms/${roomId}/receipt/${type}/${target}`,
              {},
            );
          return;
        }
        case "redaction":
          if (target !== undefined)
            await user.put(path`/rooms/${roomId}/redact/${target}/${txn}`, {});
          return;
        case "typing":
        case "still":
          await user.put(path`/rooms/${roomId}/typing/${user.userId}`, {
            typing: what === "typing",
            timeout: 60_000,
          });
          return;
        case "topic":
          await user.put(path`/rooms/${roomId}/state/m.room.topic`, {
            topic: txn,
          });
          return;
        case "nick":
          await user.put(path`/profile/${user.userId}/displayname`, {
            displayname: txn,
          });
          return;
        case "leave":
        case "join":
          await user.post(path`/rooms/${roomId}/${what}`, {});
          return;
        case "tag":
          await user.put(
            path`/user/${user.userId}/rooms/${roomId}/tags/u.${txn}`,
            {},
          );
          return;
        case "ignore":
          await user.put(
            path`/user/${user.userId}/account_data/m.ignored_user_list`,
            { ignored_users: pick % 2 === 0 ? { [other]: {} } : {} },
          );
          return;
        case "mute":
          await user.put(path`/pushrules/global/room/${roomId}`, {
            actions: pick % 2 === 0 ? [] : ["notify"],
          });
          return;
        case "keyword":
          await user.put(path`/pushrules/global/content/k${String(pick)}`, {
            pattern: "pear",
            actions: ["notify", { set_tweak: "highlight" }],
          });
          return;
        case "device":
          await user.put(path`/devices/${user.deviceId}`, {
            display_name: txn,
          });
          return;
      }
    }

    async compare(): Promise<void> {
      for (const reader of this.readers) {
        const { user, filter, since } = reader;
        reader.since = (await this.#ask(user, filter, since)).token;
      }
    }

    async #ask(user: TestUser, filter: Json, since: SyncToken | null) {
      const { edges } = this.process;
      const request = requestOf(user, filter, since);
      const mark = edges.notifier.ephemeralMark;
      const upTo = await edges.notifier.refresh();
      const view = await readUserView(edges, user.userId, upTo);
      const quick = await readQuickAnswer(edges, request, view, mark);
      const whole = await readWholeAnswer(edges, request, view, mark);
      taken.whole += 1;
      if (quick) {
        taken.quick += 1;
        if (!quick.isEmpty) taken.news += 1;
        expect(timeless(quick.text)).to.deep.equal(timeless(whole.text));
        expect(quick.isEmpty).to.equal(whole.isEmpty);
        expect(quick.token).to.deep.equal(whole.token);
      }
      expect(
        findSyncToken(String(timeless(whole.text)["next_batch"])),
      ).to.deep.equal(whole.token);
      return whole;
    }
  }

  it("takes no part of what it shares from a token that was never given out", async () => {
    const [alice, mallory] = [
      await server.user("alice"),
      await server.user("mallory"),
    ];
    const { body } = await alice.post("/createRoom", {
      preset: "public_chat",
    });
    const roomId = String(body["room_id"]);
    await mallory.post(path`/rooms/${roomId}/join`);
    const { edges } = server;
    const begin = async (user: TestUser) => {
      const upTo = await edges.notifier.refresh();
      const view = await readUserView(edges, user.userId, upTo);
      const request = requestOf(user, {}, null);
      const mark = edges.notifier.ephemeralMark;
      return (await readWholeAnswer(edges, request, view, mark)).token;
    };
    const ask = async (user: TestUser, since: SyncToken) => {
      const upTo = await edges.notifier.refresh();
      const view = await readUserView(edges, user.userId, upTo);
      const request = requestOf(user, {}, since);
      return readQuickAnswer(edges, request, view, since.mark);
    };
    const [since, forged] = [await begin(alice), await begin(mallory)];
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        mallory.put(path`/rooms/${roomId}/send/m.room.message/f${String(i)}`, {
          msgtype: "m.text",
          body: "x",
        }),
      ),
    );
    // The batch of several of them, and a place in its middle.
    const [batch] = await server.database.sql<{ from: number; to: number }[]>`
      select "from", "to" from (
        select lag(last_position) over (order by last_position) as "from", last_position as "to"
        from batches where last_position is not null) b
      where "from" >= ${since.position} and "to" - "from" > 1 limit 1`;
    const at = (token: SyncToken, position: number): SyncToken => ({
      ...token,
      position,
      toDevicePosition: position,
    });
    const { from, to } = batch!;
    await ask(mallory, at(forged, from + 1));
    const answer = await ask(alice, at(since, from));
    const { rooms } = JSON.parse(answer!.text) as {
      rooms: {
        join: Record<string, { timeline: { events: unknown[] } }>;
      };
    };
    const told = since.position + 8 - from;
    expect(rooms.join[roomId]!.timeline.events).to.have.length(told);
    expect(to - from, "messages of one batch").to.be.above(1);
  });

  it("tells how old a message is when it is told, however long it has been shared", async () => {
    const [dan, eve] = [await server.user("dan"), await server.user("eve")];
    const { body } = await dan.post("/createRoom", { preset: "public_chat" });
    const roomId = String(body["room_id"]);
    await eve.post(path`/rooms/${roomId}/join`);
    const { edges } = server;
    const upTo = await edges.notifier.refresh();
    const mark = edges.notifier.ephemeralMark;
    const first = await readUserView(edges, eve.userId, upTo);
    const asked = requestOf(eve, {}, null);
    const { token } = await readWholeAnswer(edges, asked, first, mark);
    await dan.put(path`/rooms/${roomId}/send/m.room.message/1`, {
      msgtype: "m.text",
      body: "x",
    });
    const ageAfter = async (ms: number) => {
      const later = { ...edges, now: () => Date.now() + ms };
      const now = await edges.notifier.refresh();
      const view = await readUserView(later, eve.userId, now);
      const request = requestOf(eve, {}, token);
      const answer = await readQuickAnswer(later, request, view, token.mark);
      return Number(/"age":(\d+)/.exec(answer!.text)![1]);
    };
    expect(await ageAfter(0)).to.be.below(60_000);
    expect(await ageAfter(3_600_000)).to.be.at.least(3_600_000);
  });

  it("says what the whole answer says, wherever it says something", async function () {
    this.timeout(120_000);
    const acts = fc.array(fc.array(act, { minLength: 1, maxLength: 3 }), {
      minLength: 10,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(acts, async (rounds) => {
        const world = new World();
        await world.begin();
        for (const round of rounds) {
          for (const one of round) await world.perform(one);
          await world.compare();
        }
      }),
      { numRuns: 6 },
    );
    // Else the comparison would prove nothing.
    expect(taken.quick).to.be.above(taken.whole / 10);
    expect(taken.news).to.be.above(taken.whole / 20);
  });
});

const requestOf = (
  user: TestUser,
  filter: Json,
  since: SyncToken | null,
): SyncRequest => ({
  requester: requesterOf(user),
  filter: parseClientFilter(JSON.parse(JSON.stringify(filter))),
  since,
  isFullState: false,
  stateAfterName: null,
  timeoutMs: 0,
});

let transactions = 0;

/** An answer without what depends on the moment. */
const timeless = (text: string): Json =>
  JSON.parse(text, (key, value: unknown) =>
    key === "age" ? undefined : value,
  ) as Json;
