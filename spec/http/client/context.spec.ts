import { expect } from "chai";
import {
  act,
  getMessages,
  idsOf,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

interface Context {
  event: RoomEvent;
  events_before: RoomEvent[];
  events_after: RoomEvent[];
  start: string;
  end: string;
  state: RoomEvent[];
}

const contextPath = (roomId: string, eventId: string) =>
  path`/rooms/${roomId}/context/${eventId}`;

const contextOf = async (
  user: TestUser,
  roomId: string,
  eventId: string,
  query = "",
): Promise<Context> =>
  must<Context>(await user.get(contextPath(roomId, eventId) + query));

describe("GET /rooms/{roomId}/context/{eventId}", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let ids: string[];
  let roomId: string;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
    roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    ids = [];
    for (let i = 0; i < 16; i++) {
      ids.push(await say(i % 4 === 0 ? bob : alice, roomId, `${i}`));
    }
  });

  it("has what was before and after, the nearest first, ten unless told", async () => {
    const found = await contextOf(alice, roomId, ids[8]!);
    expect(found.event.event_id).to.equal(ids[8]);
    expect(idsOf(found.events_before)).to.deep.equal(ids.slice(3, 8).reverse());
    expect(idsOf(found.events_after)).to.deep.equal(ids.slice(9, 14));
  });

  it("shows the event alone where the limit is 0, and at most 1000 others", async () => {
    const alone = await contextOf(alice, roomId, ids[8]!, "?limit=0");
    expect(alone.event.event_id).to.equal(ids[8]);
    expect([alone.events_before, alone.events_after]).to.deep.equal([[], []]);
    const all = await contextOf(alice, roomId, ids[8]!, "?limit=1000000000");
    expect(idsOf(all.events_after)).to.deep.equal(ids.slice(9));
    for (const limit of ["-1", "x", "1.5"]) {
      const target = `${contextPath(roomId, ids[8]!)}?limit=${limit}`;
      expect((await alice.get(target)).status).to.equal(400);
    }
  });

  it("leads on by its tokens", async () => {
    const found = await contextOf(alice, roomId, ids[8]!, "?limit=2");
    const page = async (dir: string, from: string) =>
      idsOf((await getMessages(alice, roomId, { dir, from, limit: 2 })).chunk);
    expect(await page("b", found.start)).to.deep.equal([ids[6], ids[5]]);
    expect(await page("f", found.end)).to.deep.equal([ids[10], ids[11]]);
  });

  it("has the state at the last event that it shows", async () => {
    const made = await makeRoom(alice, { topic: "then" });
    const eventId = await say(alice, made, "when it was so");
    await setState(alice, made, "m.room.topic", { topic: "now" });
    const topicAt = async (limit: number) => {
      const query = `?limit=${limit}`;
      const { state } = await contextOf(alice, made, eventId, query);
      return state.find(({ type }) => type === "m.room.topic")?.content[
        "topic"
      ];
    };
    expect(await topicAt(0)).to.equal("then");
    expect(await topicAt(2)).to.equal("now");
  });

  it("brings the members that speak where they load lazily", async () => {
    const filter = encodeURIComponent('{"lazy_load_members":true}');
    const membersAt = async (limit: number) => {
      const query = `?limit=${limit}&filter=${filter}`;
      const { state } = await contextOf(alice, roomId, ids[9]!, query);
      return state
        .filter(({ type }) => type === "m.room.member")
        .map((event) => event.state_key);
    };
    expect(await membersAt(0)).to.deep.equal([alice.userId]);
    expect(await membersAt(2)).to.have.members([alice.userId, bob.userId]);
  });

  it("leaves out what the ignored say", async () => {
    const carol = await server.user("carol");
    await act(carol, roomId, "join");
    const target = path`/user/${carol.userId}/account_data/m.ignored_user_list`;
    await carol.put(target, { ignored_users: { [bob.userId]: {} } });
    const found = await contextOf(carol, roomId, ids[9]!, "?limit=4");
    expect(idsOf(found.events_before)).to.deep.equal([ids[7]]);
  });

  it("shows no state of a time of which one may see nothing", async () => {
    const made = await makePublicRoom(alice, "world_readable");
    const eventId = await say(alice, made, "for the world");
    const visibility = (history_visibility: string) =>
      setState(alice, made, "m.room.history_visibility", {
        history_visibility,
      });
    await visibility("joined");
    await setState(alice, made, "m.room.topic", { topic: "secret" });
    await say(alice, made, "hidden");
    await setState(alice, made, "m.room.topic", { topic: "harmless" });
    await visibility("world_readable");
    for (const limit of [2, 4, 6, 8, 10, 12, 20]) {
      const target = `${contextPath(made, eventId)}?limit=${limit}`;
      const { text } = await bob.get(target);
      expect(text).to.include("for the world");
      expect(text, `limit ${limit}`).not.to.match(/"hidden"|secret/);
    }
  });
});

describe("GET /rooms/{roomId}/event/{eventId}", () => {
  const server = useServer();

  it("gives an event to those who may see it", async () => {
    const alice = await server.user("alice");
    const roomId = await makeRoom(alice);
    const eventId = await say(alice, roomId, "hello");
    const answer = await alice.get(path`/rooms/${roomId}/event/${eventId}`);
    expect(must(answer)).to.deep.include({
      event_id: eventId,
      room_id: roomId,
      sender: alice.userId,
      type: "m.room.message",
      content: { msgtype: "m.text", body: "hello" },
    });
  });

  it("answers the same for events that are nowhere, elsewhere, hidden or in a room of others", async () => {
    const [alice, bob] = [await server.user("al"), await server.user("bob")];
    const secret = await makeRoom(alice);
    const elsewhere = await say(alice, secret, "elsewhere");
    const roomId = await makePublicRoom(alice, "joined");
    const hidden = await say(alice, roomId, "hidden");
    await act(bob, roomId, "join");
    const unknown = `$${"x".repeat(43)}`;
    for (const kind of ["event", "context"] as const) {
      const asked = [
        [roomId, unknown],
        [roomId, elsewhere],
        [roomId, hidden],
        [secret, elsewhere],
        [secret, hidden],
        ["!absent:test", elsewhere],
        [`!${"a".repeat(43)}`, unknown],
        [roomId, "$%00/../x"],
      ];
      const answers = await Promise.all(
        asked.map(([room, event]) =>
          bob.get(path`/rooms/${room!}/${kind}/${event!}`),
        ),
      );
      const told = answers.map(({ status, text }) => `${status} ${text}`);
      expect([...new Set(told)], kind).to.have.length(1);
      expect(answers[0]?.status).to.equal(404);
      expect(answers[0]?.body["errcode"]).to.equal("M_NOT_FOUND");
    }
  });
});
