import { expect } from "chai";
import { readSubscriptionChanges } from "../../../src/domain/rooms/thread-subscriptions.ts";
import { react, relatesTo, reply } from "../../support/relations.ts";
import {
  act,
  makePublicRoom,
  must,
  path,
  say,
  send,
} from "../../support/rooms.ts";
import { SyncReader } from "../../support/sync-reader.ts";
import { useServer } from "../../support/server.ts";
import type {
  Answer,
  Json,
  TestClient,
  TestUser,
} from "../../support/server.ts";

const NOT_IN_THREAD = "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD";
const CONFLICTING = "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION";
const LIST = "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions";

describe("thread subscriptions", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let roomId: string;
  let root: string;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  beforeEach(async () => {
    roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    root = await say(alice, roomId, "root");
  });

  const target = (eventId = root, room = roomId) =>
    `/_matrix/client/unstable/io.element.msc4306${path`/rooms/${room}/thread/${eventId}/subscription`}`;
  const subscribe = (user: TestClient, automatic?: string, eventId = root) =>
    user.put(target(eventId), automatic === undefined ? {} : { automatic });
  const automaticOf = async (user: TestClient): Promise<unknown> => {
    const answer = await user.get(target());
    return answer.status === 404
      ? answer.body["errcode"]
      : must(answer)["automatic"];
  };

  const expectError = (answer: Answer, status: number, errcode: string) => {
    expect(answer.status, answer.text).to.equal(status);
    expect(answer.body["errcode"]).to.equal(errcode);
  };

  it("begin and end by the user's own will, of each user alone", async () => {
    expect(await automaticOf(bob)).to.equal("M_NOT_FOUND");
    must(await subscribe(bob));
    must(await subscribe(bob));
    expect(await automaticOf(bob)).to.equal(false);
    expect(await automaticOf(alice)).to.equal("M_NOT_FOUND");
    must(await bob.delete(target()));
    expect(await automaticOf(bob)).to.equal("M_NOT_FOUND");
    must(await bob.delete(target()));
  });

  it("begin automatically for an event of the thread alone", async () => {
    const other = await say(alice, roomId, "other");
    const otherReply = await reply(alice, roomId, other);
    const reaction = await react(alice, roomId, root);
    for (const cause of [root, other, otherReply, reaction])
      expectError(await subscribe(bob, cause), 400, NOT_IN_THREAD);
    expectError(await subscribe(bob, "$absent"), 404, "M_NOT_FOUND");
    expectError(await subscribe(bob, "\0"), 404, "M_NOT_FOUND");
    const cause = await reply(alice, roomId, root);
    must(await subscribe(bob, cause));
    expect(await automaticOf(bob)).to.equal(true);
  });

  it("of the user's own will stand above automatic ones", async () => {
    const cause = await reply(alice, roomId, root);
    must(await subscribe(bob, cause));
    must(await subscribe(bob));
    expect(await automaticOf(bob)).to.equal(false);
    must(await subscribe(bob, cause));
    expect(await automaticOf(bob)).to.equal(false);
  });

  it("do not begin again by what stood there when they were ended", async () => {
    const causes = [await reply(alice, roomId, root)];
    must(await subscribe(bob, causes[0]));
    causes.push(await reply(alice, roomId, root));
    must(await bob.delete(target()));
    const later = await reply(alice, roomId, root);
    for (const cause of causes) {
      expectError(await subscribe(bob, cause), 409, CONFLICTING);
      expect(await automaticOf(bob)).to.equal("M_NOT_FOUND");
    }
    must(await subscribe(bob, later));
    expect(await automaticOf(bob)).to.equal(true);
  });

  it("are not there for threads that the user may not see", async () => {
    const stranger = await server.user("stranger");
    const answers = [
      await stranger.get(target()),
      await subscribe(stranger),
      await stranger.delete(target()),
      await subscribe(bob, undefined, "$absent"),
      await bob.get(target("$absent")),
      await bob.delete(target("$absent")),
    ];
    for (const answer of answers) expectError(answer, 404, "M_NOT_FOUND");
  });

  it("settle what two devices ask at once in two processes", async () => {
    const other = (await server.startProcess()).as(bob);
    const cause = await reply(alice, roomId, root);
    for (let round = 0; round < 10; round += 1) {
      await Promise.all([
        subscribe(bob, cause),
        subscribe(other),
        subscribe(other, cause),
        subscribe(bob),
      ]);
      expect(await automaticOf(bob)).to.equal(false);
      must(await bob.delete(target()));
    }
  });

  describe("and push rules", () => {
    const RULES = [
      ".io.element.msc4306.rule.unsubscribed_thread",
      ".io.element.msc4306.rule.subscribed_thread",
    ];
    const rule = (ruleId: string) =>
      path`/pushrules/global/postcontent/${ruleId}`;
    const enabledOf = (user: TestClient) =>
      Promise.all(
        RULES.map(async (id) => must(await user.get(rule(id)))["enabled"]),
      );
    const countsOf = async (user: TestUser) => {
      const filter = {
        room: { timeline: { unread_thread_notifications: true } },
      };
      const { rooms } = await new SyncReader(user).next({ filter });
      const { unread_notifications, unread_thread_notifications } = rooms.join[
        roomId
      ] as unknown as Record<string, Json>;
      return {
        main: unread_notifications!["notification_count"],
        threads: Object.fromEntries(
          Object.entries(unread_thread_notifications ?? {}).map(
            ([thread, counts]) => [
              thread,
              (counts as Json)["notification_count"],
            ],
          ),
        ),
      };
    };

    it("are off until the first thread is followed, and told when they are on", async () => {
      const erin = await server.user("erin");
      await act(erin, roomId, "join");
      expect(await enabledOf(erin)).to.deep.equal([false, false]);
      const reader = new SyncReader(erin);
      await reader.next();
      must(await subscribe(erin));
      expect(await enabledOf(erin)).to.deep.equal([true, true]);
      const { account_data } = await reader.next();
      const told = account_data.events.find(
        ({ type }) => type === "m.push_rules",
      );
      const { postcontent } = told!.content["global"] as Record<string, Json[]>;
      expect(postcontent!.map(({ enabled }) => enabled)).to.deep.equal([
        true,
        true,
      ]);
      // Whoever switches them off is not told otherwise again.
      for (const id of RULES)
        must(await erin.put(`${rule(id)}/enabled`, { enabled: false }));
      must(await erin.delete(target()));
      const other = await say(alice, roomId, "other");
      must(await subscribe(erin, undefined, other));
      expect(await enabledOf(erin)).to.deep.equal([false, false]);
    });

    it("are the server's: nobody adds one of their own", async () => {
      const own = { actions: ["notify"], conditions: [] };
      for (const id of ["mine", ...RULES])
        expectError(await bob.put(rule(id), own), 400, "M_INVALID_PARAM");
      expect((await bob.delete(rule(RULES[0]!))).status).to.equal(404);
    });

    it("count what is said in threads that are followed, in a muted room too, and mentions", async () => {
      const frank = await server.user("frank");
      await act(frank, roomId, "join");
      const other = await say(alice, roomId, "other");
      must(await subscribe(frank));
      const last = await say(alice, roomId, "last");
      must(await frank.post(path`/rooms/${roomId}/receipt/m.read/${last}`, {}));
      for (const eventId of [root, root, other])
        await reply(alice, roomId, eventId);
      expect(await countsOf(frank)).to.deep.equal({
        main: 0,
        threads: { [root]: 2 },
      });
      must(
        await frank.put(path`/pushrules/global/room/${roomId}`, {
          actions: [],
        }),
      );
      await say(alice, roomId, "muted");
      await reply(alice, roomId, root);
      await send(alice, roomId, "m.room.message", {
        msgtype: "m.text",
        body: "you",
        "m.mentions": { user_ids: [frank.userId] },
        ...relatesTo("m.thread", other),
      });
      expect(await countsOf(frank)).to.deep.equal({
        main: 0,
        threads: { [root]: 3, [other]: 1 },
      });
      const { notifications } = must<{
        notifications: { event: { content: Json }; actions: unknown[] }[];
      }>(await frank.get("/notifications"));
      const [mention, ...replies] = notifications;
      expect(mention!.event.content["body"]).to.equal("you");
      for (const { actions } of replies.slice(0, 3))
        expect(actions).to.deep.equal([
          "notify",
          { set_tweak: "sound", value: "default" },
        ]);
    });

    it("are asked by rules of one's own too", async () => {
      const grace = await server.user("grace");
      await act(grace, roomId, "join");
      must(
        await grace.put("/pushrules/global/override/threads", {
          actions: [],
          conditions: [
            {
              kind: "io.element.msc4306.thread_subscription",
              subscribed: false,
            },
          ],
        }),
      );
      const last = await say(alice, roomId, "last");
      must(await grace.post(path`/rooms/${roomId}/receipt/m.read/${last}`, {}));
      await reply(alice, roomId, root);
      await say(alice, roomId, "heard");
      expect(await countsOf(grace)).to.deep.equal({ main: 1, threads: {} });
    });
  });

  interface Listed {
    subscribed: Record<string, Record<string, Json>>;
    unsubscribed: Record<string, Record<string, Json>>;
    end?: string;
  }

  it("are listed, the latest changes first, page by page", async () => {
    const carol = await server.user("carol");
    await act(carol, roomId, "join");
    const roots = [root];
    for (let i = 0; i < 4; i += 1)
      roots.push(await say(alice, roomId, `root ${i}`));
    for (const eventId of roots)
      must(await subscribe(carol, undefined, eventId));
    must(await carol.delete(target(roots[1])));
    const cause = await reply(alice, roomId, roots[2]!);
    must(await carol.delete(target(roots[2])));
    const again = await reply(alice, roomId, roots[2]!);
    expect(cause).not.to.equal(again);
    must(await subscribe(carol, again, roots[2]));

    const all = must<Listed>(await carol.get(`${LIST}?dir=b`));
    expect(all).not.to.have.property("end");
    expect(Object.keys(all.unsubscribed[roomId]!)).to.deep.equal([roots[1]]);
    const threads = all.subscribed[roomId]!;
    expect(Object.keys(threads)).to.have.members(
      [0, 2, 3, 4].map((i) => roots[i]),
    );
    expect(threads[roots[2]!]!["automatic"]).to.equal(true);
    expect(threads[roots[3]!]!["automatic"]).to.equal(false);
    expect(threads[roots[2]!]!["bump_stamp"]).to.be.above(
      Number(all.unsubscribed[roomId]![roots[1]!]!["bump_stamp"]),
    );

    const seen: string[] = [];
    let from = "";
    for (;;) {
      const page = must<Listed>(
        await carol.get(`${LIST}?dir=b&limit=2${from}`),
      );
      for (const part of [page.subscribed, page.unsubscribed])
        seen.push(...Object.keys(part[roomId] ?? {}));
      if (page.end === undefined) break;
      from = `&from=${page.end}`;
    }
    expect(seen).to.have.members(roots);
    expect(new Set(seen).size).to.equal(seen.length);
    expect((await carol.get(`${LIST}?dir=f`)).status).to.equal(400);
    expect((await carol.get(`${LIST}?dir=b&limit=0`)).status).to.equal(400);
  });

  it("are told as what changed between two positions, and end at a sync's token", async () => {
    const dave = await server.user("dave");
    await act(dave, roomId, "join");
    must(await subscribe(dave));
    const { body } = await dave.get("/sync");
    const token = String(body["next_batch"]);
    const middle = server.edges.notifier.position;
    const other = await say(alice, roomId, "other");
    must(await subscribe(dave, undefined, other));
    const upTo = await server.edges.notifier.refresh();
    const range = (after: number, until: number) =>
      readSubscriptionChanges(server.edges, dave.userId, {
        after,
        upTo: until,
        limit: 10,
      });
    const before = await range(0, middle);
    expect(Object.keys(before.changes.subscribed[roomId]!)).to.deep.equal([
      root,
    ]);
    const after = await range(middle, upTo);
    expect(Object.keys(after.changes.subscribed[roomId]!)).to.deep.equal([
      other,
    ]);
    expect(after.moreUpTo).to.equal(null);
    const listed = must<Listed>(await dave.get(`${LIST}?dir=b&to=${token}`));
    expect(Object.keys(listed.subscribed[roomId]!)).to.deep.equal([other]);
  });
});
