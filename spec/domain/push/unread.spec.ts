import { expect } from "chai";
import fc from "fast-check";
import type { JsonObject } from "../../../src/core/json.ts";
import type { PushRuleset } from "../../../src/core/push/ruleset.ts";
import { setAccountData } from "../../../src/domain/accounts/update-account-data.ts";
import { listIgnoredUsers } from "../../../src/domain/accounts/ignored-users.ts";
import { readBadges } from "../../../src/domain/push/badges.ts";
import { readRuleset } from "../../../src/domain/push/push-rules.ts";
import { readUnread } from "../../../src/domain/push/unread.ts";
import { findRoomIdentity } from "../../../src/domain/rooms/room-identity.ts";
import { useServer } from "../../support/server.ts";
import type { TestProcess, TestUser } from "../../support/server.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { must } from "../../support/rooms.ts";
import { NaiveRoom } from "./naive-counts.ts";

const USERS = 4;
const ROOMS = 2;

const place = {
  user: fc.nat({ max: USERS - 1 }),
  room: fc.nat({ max: ROOMS - 1 }),
  process: fc.nat({ max: 1 }),
};
const message = fc.record({
  act: fc.constant("say" as const),
  ...place,
  kind: fc.constantFrom(
    ...["text", "text", "keyword", "notice", "encrypted", "mention"],
    ...[
      "all",
      "edit",
      "mentioning edit",
      "reaction",
      "mentioning reaction",
      "mention and all",
    ],
  ),
  relation: fc.constantFrom("none", "none", "m.thread", "m.reference"),
  target: fc.nat({ max: 5 }),
  other: fc.nat({ max: USERS - 1 }),
});
const receipt = fc.record({
  act: fc.constant("receipt" as const),
  ...place,
  type: fc.constantFrom("m.read", "m.read.private"),
  isThreaded: fc.boolean(),
  back: fc.nat({ max: 6 }),
});
const redaction = fc.record({
  act: fc.constant("redact" as const),
  ...place,
  back: fc.nat({ max: 6 }),
});
const rules = fc.record({
  act: fc.constant("rules" as const),
  ...place,
  rule: fc.constantFrom(
    ...["keyword", "quiet keyword", "no keyword", "mute", "watch room"],
    ...["catch all", "silent three", "sender", "no messages", "louder"],
  ),
  other: fc.nat({ max: USERS - 1 }),
});
const ignore = fc.record({
  act: fc.constant("ignore" as const),
  ...place,
  other: fc.nat({ max: USERS - 1 }),
});
const membership = fc.record({
  act: fc.constant("membership" as const),
  ...place,
});
const rename = fc.record({ act: fc.constant("rename" as const), ...place });
const act = fc.oneof(
  { weight: 12, arbitrary: message },
  { weight: 3, arbitrary: receipt },
  { weight: 2, arbitrary: redaction },
  { weight: 2, arbitrary: rules },
  { weight: 1, arbitrary: ignore },
  { weight: 1, arbitrary: membership },
  { weight: 1, arbitrary: rename },
);
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;
type Say = typeof message extends fc.Arbitrary<infer A> ? A : never;

const beginsThreadAtRelated = (
  { said }: NaiveRoom,
  { "m.relates_to": relation }: JsonObject,
): boolean => {
  const { rel_type, event_id } = (relation ?? {}) as JsonObject;
  const target = said.find(({ eventId }) => eventId === event_id);
  return (
    rel_type === "m.thread" && target?.isRelated === true && !target.isRedacted
  );
};

describe("readUnread", () => {
  const server = useServer();
  let second: TestProcess;
  let run = 0;
  before(async () => {
    second = await server.startProcess();
  });

  class World {
    readonly users: TestUser[] = [];
    readonly rooms: NaiveRoom[] = [];
    readonly rulesets = new Map<string, PushRuleset>();
    #txn = 0;

    async prepare(): Promise<void> {
      run += 1;
      for (let i = 0; i < USERS; i++) {
        const user = await server.user(`u${i}-${run}`);
        this.users.push(user);
        this.rulesets.set(
          user.userId,
          await readRuleset(server.edges, user.userId),
        );
      }
      for (let i = 0; i < ROOMS; i++) {
        const [creator, ...others] = this.users;
        const { body } = await creator!.post("/createRoom", {
          preset: "public_chat",
        });
        const roomId = String(body["room_id"]);
        for (const user of others) {
          await user.post(`/rooms/${roomId}/join`);
        }
        this.rooms.push(
          new NaiveRoom(
            roomId,
            creator!.userId,
            this.users.map(({ userId }) => userId),
          ),
        );
      }
    }

    async perform(action: Act): Promise<void> {
      // What one process has done, the other has heard of.
      await server.edges.notifier.refresh();
      await second.edges.notifier.refresh();
      const user = this.users[action.user]!;
      const room = this.rooms[action.room]!;
      const client = (action.process === 0 ? server : second).as(user);
      const isJoined = room.joinedAt.has(user.userId);
      const rulesOf = (userId: string) => this.rulesets.get(userId)!;
      switch (action.act) {
        case "say": {
          if (!isJoined) return;
          const { type, content } = this.#messageOf(room, action);
          const path = `/rooms/${room.roomId}/send/${type}/${this.#txn++}`;
          const { body, status } = await client.put(path, content);
          const mayBeSaid = !beginsThreadAtRelated(room, content);
          expect(status).to.equal(mayBeSaid ? 200 : 400);
          if (!mayBeSaid) return;
          const event = { type, sender: user.userId, content };
          return room.say(String(body["event_id"]), event, rulesOf);
        }
        case "receipt": {
          const at = room.said.length - 1 - action.back;
          const event = room.said[at];
          if (!isJoined || !event) return;
          if (at < room.joinedAt.get(user.userId)!) return;
          const path = `/rooms/${room.roomId}/receipt/${action.type}/${event.eventId}`;
          const body = action.isThreaded ? { thread_id: event.thread } : {};
          const { status } = await client.post(path, body);
          expect(status).to.equal(200);
          return room.receive(
            user.userId,
            at,
            action.isThreaded ? event.thread : "",
          );
        }
        case "redact": {
          const event = room.said[room.said.length - 1 - action.back];
          if (!isJoined || event?.sender !== user.userId) return;
          if (event.isRedacted) return;
          const path = `/rooms/${room.roomId}/redact/${event.eventId}/${this.#txn++}`;
          const { body, status } = await client.put(path, {});
          expect(status).to.equal(200);
          event.isRedacted = true;
          const type = "m.room.redaction";
          const said = { type, sender: user.userId, content: {} };
          return room.say(String(body["event_id"]), said, rulesOf);
        }
        case "rules": {
          const [path, body] = this.#ruleOf(room, action);
          if (body === undefined) await client.delete(`/pushrules${path}`);
          else await client.put(`/pushrules${path}`, body);
          this.rulesets.set(
            user.userId,
            await readRuleset(server.edges, user.userId),
          );
          return;
        }
        case "ignore": {
          const ignored_users = {
            [this.users[action.other]!.userId]: {},
            [user.userId]: {},
          };
          delete ignored_users[user.userId];
          return setAccountData(
            server.edges,
            { userId: user.userId, roomNid: 0, type: "m.ignored_user_list" },
            { ignored_users },
          );
        }
        case "membership":
        case "rename": {
          if (action.act === "rename" && !isJoined) return;
          const content =
            action.act === "rename"
              ? { membership: "join", displayname: `name ${this.#txn++}` }
              : { membership: isJoined ? "leave" : "join" };
          const path = `/rooms/${room.roomId}/state/m.room.member/${user.userId}`;
          const { body, status } = await client.put(path, content);
          expect(status, JSON.stringify(body)).to.equal(200);
          const type = "m.room.member";
          const sender = user.userId;
          const event = { type, sender, content, state_key: sender };
          room.say(String(body["event_id"]), event, rulesOf);
          if (content.membership === "leave") room.leave(sender);
          else if (action.act === "membership") room.join(sender);
          return;
        }
      }
    }

    #messageOf(room: NaiveRoom, { kind, relation, target, other }: Say) {
      const aim = room.said[room.said.length - 1 - target];
      const mentioned = {
        "m.mentions": { user_ids: [this.users[other]!.userId] },
      };
      const related: JsonObject =
        relation === "none" || !aim
          ? {}
          : {
              "m.relates_to": {
                rel_type: relation,
                event_id:
                  relation === "m.thread" && aim.thread !== "main"
                    ? aim.thread
                    : aim.eventId,
              },
            };
      const text = { msgtype: "m.text", body: "hello" };
      const plain = (content: JsonObject) => ({
        type: "m.room.message",
        content: { ...text, ...related, ...content },
      });
      const edit = {
        "m.relates_to": {
          rel_type: "m.replace",
          event_id: aim?.eventId ?? "$",
        },
      };
      const annotation = {
        "m.relates_to": {
          rel_type: "m.annotation",
          event_id: aim?.eventId ?? "$",
          key: `${this.#txn}`,
        },
      };
      switch (kind) {
        case "keyword":
          return plain({ body: "some cake for you" });
        case "notice":
          return plain({ msgtype: "m.notice", ...mentioned });
        case "encrypted":
          return { type: "m.room.encrypted", content: { ...related } };
        case "mention":
          return plain(mentioned);
        case "mention and all":
          return plain({
            "m.mentions": { ...mentioned["m.mentions"], room: true },
          });
        case "all":
          return plain({ "m.mentions": { room: true } });
        case "edit":
          return plain({ ...edit, body: "cake" });
        case "mentioning edit":
          return plain({ ...edit, ...mentioned });
        case "reaction":
          return { type: "m.reaction", content: annotation };
        case "mentioning reaction":
          return {
            type: "m.reaction",
            content: { ...annotation, ...mentioned },
          };
        default:
          return plain({});
      }
    }

    #ruleOf(
      { roomId }: NaiveRoom,
      action: Extract<Act, { act: "rules" }>,
    ): [path: string, body: unknown] {
      const highlight = ["notify", { set_tweak: "highlight" }];
      switch (action.rule) {
        case "keyword":
          return [
            "/global/content/cake",
            { pattern: "cake", actions: highlight },
          ];
        case "quiet keyword":
          return [
            "/global/content/some",
            { pattern: "som*", actions: ["notify"] },
          ];
        case "no keyword":
          return ["/global/content/cake", undefined];
        case "mute":
          return [
            `/global/override/${roomId}`,
            {
              conditions: [
                { kind: "event_match", key: "room_id", pattern: roomId },
              ],
              actions: [],
            },
          ];
        case "watch room":
          return [`/global/room/${roomId}`, { actions: highlight }];
        case "catch all":
          return [
            "/global/override/all",
            { conditions: [], actions: ["notify"] },
          ];
        case "silent three":
          return [
            "/global/override/three",
            {
              conditions: [{ kind: "room_member_count", is: "3" }],
              actions: [],
            },
          ];
        case "sender":
          return [
            `/global/sender/${this.users[action.other]!.userId}`,
            { actions: [] },
          ];
        case "no messages":
          return [
            "/global/underride/.m.rule.message/enabled",
            { enabled: false },
          ];
        default:
          return [
            "/global/underride/.m.rule.message/actions",
            { actions: ["notify", { set_tweak: "sound", value: "loud" }] },
          ];
      }
    }

    async compare(): Promise<void> {
      const upTo = await server.edges.notifier.refresh();
      const badgeOf = await readBadges(
        { ...server.edges, memory: new ProcessMemory() },
        this.users.map(({ userId }) => userId),
      );
      for (const user of this.users) {
        const { userId } = user;
        const ignored = await listIgnoredUsers(server.edges, userId);
        const joined = this.rooms.filter((room) => room.joinedAt.has(userId));
        const notified = joined.flatMap((room) => room.unread(userId, ignored));
        expect(badgeOf(userId)).to.equal(
          notified.filter(
            ({ room, threads }) =>
              room.notification_count > 0 || Object.keys(threads).length > 0,
          ).length,
        );
        await this.compareListed(user, joined, ignored);
        for (const room of this.rooms) {
          if (!room.joinedAt.has(userId)) continue;
          const identity = await findRoomIdentity(server.edges, room.roomId);
          const nids = [identity!.roomNid];
          const read = async (byThread: boolean) =>
            (
              await readUnread(
                server.edges,
                { userId },
                nids,
                upTo,
                byThread,
                ignored,
              )
            ).get(nids[0]!)!;
          const expected = room.unread(userId, ignored);
          const { room: main, threads } = await read(true);
          expect({ room: main, threads: { ...threads } }).to.deep.equal(
            expected,
          );
          const whole = (await read(false)).room;
          const all = [expected.room, ...Object.values(expected.threads)];
          expect(whole).to.deep.equal({
            notification_count: all.reduce(
              (n, c) => n + c.notification_count,
              0,
            ),
            highlight_count: all.reduce((n, c) => n + c.highlight_count, 0),
          });
        }
      }
    }

    /** All pages of `/notifications`, a few of them at once. */
    async compareListed(
      user: TestUser,
      joined: readonly NaiveRoom[],
      ignored: ReadonlySet<string>,
    ): Promise<void> {
      type Listed = { event: { event_id: string }; read: boolean };
      const listed: [string, boolean][] = [];
      for (let from = ""; ;) {
        const page = must<{ notifications: Listed[]; next_token?: string }>(
          await user.get(`/notifications?limit=3&from=${from}`),
        );
        for (const { event, read } of page.notifications)
          listed.push([event.event_id, read]);
        if (page.next_token === undefined) break;
        from = page.next_token;
      }
      const expected = joined.flatMap((room) =>
        room.notifications(user.userId, ignored),
      );
      expect(listed).to.have.deep.members(expected);
    }
  }

  it("is what every member's rules say of every event", async function () {
    this.timeout(120_000);
    const acts = fc.array(act, { minLength: 20, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(acts, async (sequence) => {
        const world = new World();
        await world.prepare();
        for (const action of sequence) await world.perform(action);
        await world.compare();
      }),
      { numRuns: 12 },
    );
  });
});
