import { expect } from "chai";
import { readHistory } from "../../../src/domain/rooms/history.ts";
import type { Requester } from "../../../src/domain/accounts/requester.ts";
import { parseRoomEventFilter } from "../../../src/core/filter.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import {
  act,
  bodiesOf,
  getMessages,
  idsOf,
  makePublicRoom,
  makeRoom,
  pageThrough,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

const texts = (count: number) =>
  Array.from({ length: count }, (_, i) => `${i}`);

async function sayAll(user: TestUser, roomId: string, bodies: string[]) {
  const ids: string[] = [];
  for (const body of bodies) ids.push(await say(user, roomId, body));
  return ids;
}

describe("GET /rooms/{roomId}/messages", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  it("pages both ways through the same events, each once", async () => {
    const roomId = await makeRoom(alice);
    await sayAll(alice, roomId, texts(17));
    const back = await pageThrough(alice, roomId, { dir: "b", limit: 4 });
    const forth = await pageThrough(alice, roomId, { dir: "f", limit: 3 });
    expect(idsOf(forth)).to.deep.equal(idsOf(back).reverse());
    expect(new Set(idsOf(back)).size).to.equal(back.length);
    expect(bodiesOf(forth)).to.deep.equal(texts(17));
    expect(forth[0]?.type).to.equal("m.room.create");
  });

  it("goes on from a token both ways, without the event at it twice", async () => {
    const roomId = await makeRoom(alice);
    const ids = await sayAll(alice, roomId, texts(6));
    const page = await getMessages(alice, roomId, { dir: "b", limit: 3 });
    const from = page.end!;
    const back = await getMessages(alice, roomId, { dir: "b", from, limit: 2 });
    const forth = await getMessages(alice, roomId, { dir: "f", from });
    expect(idsOf(back.chunk)).to.deep.equal([ids[2], ids[1]]);
    expect(idsOf(forth.chunk)).to.deep.equal(ids.slice(3));
    expect(back.start).to.equal(from);
  });

  it("stops at `to`", async () => {
    const roomId = await makeRoom(alice);
    const ids = await sayAll(alice, roomId, texts(6));
    const { end } = await getMessages(alice, roomId, { dir: "b", limit: 2 });
    const until = { dir: "b", to: end!, limit: 100 };
    const back = await getMessages(alice, roomId, until);
    expect(idsOf(back.chunk)).to.deep.equal([ids[5], ids[4]]);
    expect(back).not.to.have.property("end");
  });

  it("takes tokens of sync, both ways", async () => {
    const roomId = await makeRoom(alice);
    const [first] = await sayAll(alice, roomId, ["before"]);
    const { body } = await alice.get("/sync");
    const from = body["next_batch"] as string;
    const [second] = await sayAll(alice, roomId, ["after"]);
    const back = await getMessages(alice, roomId, { dir: "b", from, limit: 1 });
    const forth = await getMessages(alice, roomId, { dir: "f", from });
    expect(idsOf(back.chunk)).to.deep.equal([first]);
    expect(idsOf(forth.chunk)).to.deep.equal([second]);
  });

  it("row 66: gives 10 events unless told, and never more than 1000", async () => {
    const roomId = await makeRoom(alice);
    await sayAll(alice, roomId, texts(12));
    const few = await getMessages(alice, roomId, { dir: "b" });
    expect(few.chunk).to.have.length(10);
    const all = await getMessages(alice, roomId, { dir: "b", limit: 1e9 });
    expect(all.chunk.length).to.be.greaterThan(12);
    const one = await getMessages(alice, roomId, { dir: "b", limit: 0 });
    expect(one.chunk).to.have.length(1);
  });

  for (const query of [
    "",
    "?dir=x",
    "?dir=b&limit=-1",
    "?dir=b&limit=many",
    "?dir=b&from=s1",
    "?dir=b&from=t1_1",
    "?dir=f&to=%00",
    "?dir=b&filter=x",
    "?dir=b&filter=[]",
    `?dir=b&filter=${encodeURIComponent('{"types":"m.room.message"}')}`,
    "?dir=b&dir=f",
  ]) {
    it(`refuses ${query || "a page without a direction"} with 400`, async () => {
      const roomId = await makeRoom(alice);
      const target = `${path`/rooms/${roomId}/messages`}${query}`;
      const { status, text } = await alice.get(target);
      expect(status, text).to.equal(400);
    });
  }

  it("counts the limit by what the filter lets through", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await sayAll(bob, roomId, ["from bob"]);
    await sayAll(alice, roomId, texts(5));
    await send(alice, roomId, "a.b", { url: "mxc://test/1" });
    const seen = async (filter: object, limit = 1) => {
      const query = { dir: "b", limit, filter: JSON.stringify(filter) };
      return (await getMessages(alice, roomId, query)).chunk;
    };
    expect(bodiesOf(await seen({ senders: [bob.userId] }))).to.deep.equal([
      "from bob",
    ]);
    const others = await seen({ not_senders: [alice.userId] }, 5);
    expect(others.map(({ sender }) => sender)).to.deep.equal([
      bob.userId,
      bob.userId,
    ]);
    const [withUrl] = await seen({ contains_url: true });
    expect(withUrl?.type).to.equal("a.b");
    const [globbed] = await seen({ types: ["m.room.cr*"] });
    expect(globbed?.type).to.equal("m.room.create");
    const [other] = await seen({ not_types: ["a.*"] });
    expect(other?.type).to.equal("m.room.message");
    expect(await seen({ types: ["m_room_message", "%"] }, 5)).to.deep.equal([]);
  });

  it("finds events by what relates to them", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const [root, other] = await sayAll(alice, roomId, ["root", "other"]);
    const reply = (user: TestUser, rel_type: string, event_id: string) =>
      send(user, roomId, "m.room.message", {
        body: "reply",
        msgtype: "m.text",
        "m.relates_to": { rel_type, event_id },
      });
    await reply(bob, "m.thread", root!);
    await reply(alice, "m.reference", other!);
    const seen = async (filter: object) => {
      const query = { dir: "b", filter: JSON.stringify(filter) };
      return idsOf((await getMessages(alice, roomId, query)).chunk);
    };
    const byType = { related_by_rel_types: ["m.thread"] };
    expect(await seen(byType)).to.deep.equal([root]);
    const bySender = { related_by_senders: [alice.userId] };
    expect(await seen(bySender)).to.deep.equal([other]);
    expect(await seen({ ...byType, ...bySender })).to.deep.equal([]);
  });

  it("brings the members that speak where they load lazily, and them alone", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await act(await server.user("silent"), roomId, "join");
    await sayAll(bob, roomId, ["hello"]);
    const filter = JSON.stringify({ lazy_load_members: true });
    const lazy = { dir: "b", limit: 1, filter };
    const { state } = await getMessages(alice, roomId, lazy);
    expect(state?.map((event) => event.state_key)).to.deep.equal([bob.userId]);
  });

  it("leaves out what the ignored say, but not the state they set", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await sayAll(bob, roomId, ["unheard"]);
    await sayAll(alice, roomId, ["heard"]);
    const carol = await server.user("carol");
    await act(carol, roomId, "join");
    const target = path`/user/${carol.userId}/account_data/m.ignored_user_list`;
    await carol.put(target, { ignored_users: { [bob.userId]: {} } });
    const events = await pageThrough(carol, roomId, { dir: "f" });
    expect(bodiesOf(events)).to.deep.equal(["heard"]);
    const members = events.filter(({ state_key }) => state_key === bob.userId);
    expect(members).to.have.length(1);
  });

  it("shows who was removed nothing of what came after", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await sayAll(alice, roomId, ["before"]);
    await act(alice, roomId, "kick", { user_id: bob.userId });
    await sayAll(alice, roomId, ["after"]);
    const [last, ...others] = await pageThrough(bob, roomId, { dir: "b" });
    expect(last?.content["membership"]).to.equal("leave");
    expect(bodiesOf(others)).to.deep.equal(["before"]);
    const forth = await pageThrough(bob, roomId, { dir: "f" });
    expect(forth).to.have.length(others.length + 1);
  });

  it("shows nothing more once the room is forgotten", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await act(bob, roomId, "leave");
    await act(bob, roomId, "forget");
    const target = `${path`/rooms/${roomId}/messages`}?dir=b`;
    const { status, body } = await bob.get(target);
    expect([status, body["errcode"]]).to.deep.equal([403, "M_FORBIDDEN"]);
  });

  it("reads on past pages of which one may see nothing", async () => {
    const roomId = await makePublicRoom(alice, "joined");
    await sayAll(alice, roomId, texts(5));
    await act(bob, roomId, "join");
    const { chunk, end } = await getMessages(bob, roomId, {
      dir: "f",
      limit: 3,
    });
    expect(chunk.length === 0).to.equal(false);
    const rest = await pageThrough(bob, roomId, { dir: "f", from: end! });
    expect(bodiesOf([...chunk, ...rest])).to.deep.equal([]);
  });

  it("takes as many statements for a long page as for a short one", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await sayAll(bob, roomId, texts(30));
    await setState(alice, roomId, "m.room.topic", { topic: "one" });
    await setState(alice, roomId, "m.room.topic", { topic: "two" });
    const take = async (limit: number) => {
      const { sql, taken } = countStatements(server.edges.db);
      const memory = new ProcessMemory();
      const page = await readHistory(
        { ...server.edges, db: sql, memory },
        { userId: alice.userId, deviceId: alice.deviceId } as Requester,
        roomId,
        {
          from: null,
          to: null,
          isBackwards: true,
          limit,
          filter: parseRoomEventFilter({ lazy_load_members: true }),
        },
      );
      expect(page.chunk).to.have.length(limit);
      return taken();
    };
    expect(await take(30))
      .to.equal(await take(6))
      .and.to.be.lessThan(20);
  });
});
