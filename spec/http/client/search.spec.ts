import { expect } from "chai";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { indexWords } from "../../../src/domain/search/index-words.ts";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestClient, TestUser } from "../../support/server.ts";

interface Results {
  count: number;
  highlights: string[];
  results: {
    rank: number;
    result: RoomEvent;
    context?: {
      events_before: RoomEvent[];
      events_after: RoomEvent[];
      start: string;
      end: string;
      profile_info?: Record<string, Json>;
    };
  }[];
  state?: Record<string, RoomEvent[]>;
  groups?: Record<
    string,
    Record<string, { results: string[]; order: number; next_batch?: string }>
  >;
  next_batch?: string;
}

const ask = (user: TestClient, room_events: Json, next = "") =>
  user.post(`/search${next && `?next_batch=${next}`}`, {
    search_categories: { room_events },
  });

const search = async (
  user: TestClient,
  search_term: string,
  more: Json = {},
  next = "",
): Promise<Results> =>
  must<{ search_categories: { room_events: Results } }>(
    await ask(user, { search_term, ...more }, next),
  ).search_categories.room_events;

const idsIn = ({ results }: Results) =>
  results.map(({ result }) => result.event_id);

const RECENT = { order_by: "recent" };

/** Each spec is true of words that were read already, and of those that were not. */
for (const isRead of [true, false]) {
  describe(`a search of ${isRead ? "words that were read" : "what was said just now"}`, () => {
    const server = useServer();
    let alice: TestUser;
    let bob: TestUser;
    let roomId: string;

    before(async () => {
      alice = await server.user("alice");
      bob = await server.user("bob");
      roomId = await makePublicRoom(alice);
    });

    const settle = async () => {
      if (!isRead) return;
      await server.database.sql`
        update leases set expires_ts = clock_timestamp() where name = ${indexWords.name}`;
      await runJob(server.edges, indexWords);
    };

    it("finds messages, names and topics by all of their words, in any case", async () => {
      const said = await say(alice, roomId, "The quick BROWN fox");
      const name = await setState(alice, roomId, "m.room.name", {
        name: "Brown bears",
      });
      const topic = await setState(alice, roomId, "m.room.topic", {
        topic: "All things brown",
      });
      await send(alice, roomId, "m.room.encrypted", { body: "brown" });
      await send(alice, roomId, "m.room.message", { body: { brown: 1 } });
      await settle();
      const found = await search(alice, "brown");
      expect(idsIn(found)).to.have.members([said, name, topic]);
      expect(found).to.deep.include({ count: 3, highlights: ["brown"] });
      const some = await search(alice, "brown", { keys: ["content.name"] });
      expect(idsIn(some)).to.deep.equal([name]);
      expect(idsIn(await search(alice, "fox quick"))).to.deep.equal([said]);
      for (const term of ["qui", "fox bears", "", "%", "_", "quick & fox!x"])
        expect(idsIn(await search(alice, term)), term).to.deep.equal([]);
      const { result } = found.results[0]!;
      expect(result).to.include({ room_id: roomId, sender: alice.userId });
    });

    it("finds what is written without spaces", async () => {
      const said = await say(alice, roomId, "明天下午在会议室开会");
      await settle();
      expect(idsIn(await search(alice, "会议室"))).to.deep.equal([said]);
      expect(idsIn(await search(alice, "会议厅"))).to.deep.equal([]);
    });

    it("gives pages, the newest first, that say each time how much there is", async () => {
      const room = await makeRoom(alice);
      const ids: string[] = [];
      for (let i = 0; i < 20; i += 1)
        ids.push(await say(alice, room, `Message number ${i}`));
      await settle();
      const asked = { ...RECENT, filter: { limit: 10, rooms: [room] } };
      const first = await search(alice, "Message", asked);
      expect(idsIn(first)).to.deep.equal(ids.slice(10).toReversed());
      await say(alice, room, "Message between the pages");
      const second = await search(alice, "Message", asked, first.next_batch);
      expect(idsIn(second)).to.deep.equal(ids.slice(0, 10).toReversed());
      const third = await search(alice, "Message", asked, second.next_batch);
      expect(third).to.deep.include({ count: 20, results: [] });
      expect(third).not.to.have.property("next_batch");
    });

    it("gives pages by rank too, none of it twice", async () => {
      const room = await makeRoom(alice);
      const bodies = ["walrus", "walrus walrus", "a walrus among many words"];
      const ids: string[] = [];
      for (const body of bodies) ids.push(await say(alice, room, body));
      await settle();
      const asked = { filter: { limit: 2, rooms: [room] } };
      const first = await search(alice, "walrus", asked);
      expect(idsIn(first)).to.deep.equal([ids[1], ids[0]]);
      expect(first.results[0]!.rank).to.be.above(first.results[1]!.rank);
      const rest = await search(alice, "walrus", asked, first.next_batch);
      expect(idsIn(rest)).to.deep.equal([ids[2]]);
      expect(rest.count).to.equal(3);
    });

    it("shows what was said around each result, and by whom", async () => {
      const room = await makePublicRoom(alice);
      await act(bob, room, "join");
      await say(bob, room, "before");
      const said = await say(alice, room, "the needle");
      await say(bob, room, "after");
      await settle();
      const found = await search(alice, "needle", {
        event_context: {
          before_limit: 1,
          after_limit: 1_000_000_000,
          include_profile: true,
        },
      });
      const { result, context } = found.results[0]!;
      expect(result.event_id).to.equal(said);
      const bodies = (events: RoomEvent[]) =>
        events.map(({ content }) => content["body"]);
      expect(bodies(context!.events_before)).to.deep.equal(["before"]);
      expect(bodies(context!.events_after)).to.deep.equal(["after"]);
      expect(context!.profile_info).to.deep.equal({
        [alice.userId]: { displayname: "alice" },
        [bob.userId]: { displayname: "bob" },
      });
      const target = path`/rooms/${room}/messages`;
      const page = must<{ chunk: RoomEvent[] }>(
        await alice.get(`${target}?dir=b&from=${context!.start}&limit=1`),
      );
      expect(page.chunk[0]!.type).to.equal("m.room.member");
      const none = await search(alice, "needle");
      expect(none.results[0]).not.to.have.property("context");
    });

    it("groups by room and by sender, each with its own next page", async () => {
      const rooms = [await makePublicRoom(alice), await makePublicRoom(alice)];
      for (const room of rooms) await act(bob, room, "join");
      const ids: string[] = [];
      for (const [i, user] of [alice, bob, alice, bob].entries())
        ids.push(await say(user, rooms[i % 2]!, `grouped ${i}`));
      await settle();
      const asked = {
        ...RECENT,
        filter: { limit: 3 },
        groupings: { group_by: [{ key: "room_id" }, { key: "sender" }] },
      };
      const { groups } = await search(alice, "grouped", asked);
      expect(groups!["room_id"]![rooms[1]!]).to.deep.include({
        order: 0,
        results: [ids[3], ids[1]],
      });
      expect(groups!["sender"]![alice.userId]).to.deep.include({
        order: 1,
        results: [ids[2]],
      });
      const next = groups!["sender"]![alice.userId]!.next_batch;
      const rest = await search(alice, "grouped", asked, next);
      expect(idsIn(rest)).to.deep.equal([ids[0]]);
      const ofRoom = groups!["room_id"]![rooms[0]!]!.next_batch;
      const restOfRoom = await search(alice, "grouped", asked, ofRoom);
      expect(idsIn(restOfRoom)).to.deep.equal([ids[0]]);
    });

    it("keeps to its filter", async () => {
      const room = await makePublicRoom(alice);
      await act(bob, room, "join");
      const [mine, his] = [
        await say(alice, room, "filtered"),
        await say(bob, room, "filtered"),
      ];
      await settle();
      const found = async (filter: Json) =>
        idsIn(await search(alice, "filtered", { ...RECENT, filter }));
      expect(await found({})).to.deep.equal([his, mine]);
      expect(await found({ senders: [bob.userId] })).to.deep.equal([his]);
      expect(await found({ not_senders: [bob.userId] })).to.deep.equal([mine]);
      expect(await found({ types: ["m.room.name"] })).to.deep.equal([]);
      expect(await found({ rooms: [roomId] })).to.deep.equal([]);
      expect(await found({ not_rooms: [room] })).to.deep.equal([]);
      expect(await found({ contains_url: true })).to.deep.equal([]);
    });

    it("adds the state of the rooms that the results are in", async () => {
      const room = await makePublicRoom(alice);
      await act(bob, room, "join");
      await say(alice, room, "stateful");
      await settle();
      const { state } = await search(alice, "stateful", {
        include_state: true,
      });
      const events = state![room]!;
      expect(events.map(({ type }) => type)).to.include("m.room.create");
      const members = events.filter(({ type }) => type === "m.room.member");
      expect(members.map((event) => event.state_key)).to.deep.equal([
        alice.userId,
      ]);
    });

    it("looks into what a room replaced, where it is named", async () => {
      const old = await makeRoom(alice);
      const before = await say(alice, old, "moving house");
      const { replacement_room: next } = must<{ replacement_room: string }>(
        await alice.post(path`/rooms/${old}/upgrade`, { new_version: "12" }),
      );
      const after = await say(alice, next, "moving house");
      await settle();
      const found = await search(alice, "moving", {
        ...RECENT,
        filter: { rooms: [next] },
      });
      expect(idsIn(found)).to.deep.equal([after, before]);
    });

    it("CVE-2024-6302: finds nothing of what was redacted, and keeps no word of it", async () => {
      const room = await makeRoom(alice);
      const gone = await say(alice, room, "regrettable");
      const stays = await say(alice, room, "regrettable too");
      await settle();
      must(await alice.put(path`/rooms/${room}/redact/${gone}/r`, {}));
      for (const order_by of ["recent", "rank"]) {
        const found = await search(alice, "regrettable", { order_by });
        expect(idsIn(found)).to.deep.equal([stays]);
        expect(found.count).to.equal(1);
      }
      await settle();
      const rows = await server.database.sql`
        select from search_events s join events e using (nid) where e.event_id = ${gone}`;
      expect(rows).to.have.length(0);
    });

    it("tells a stranger and who comes later nothing of what was said before, not even how often", async () => {
      const room = await makePublicRoom(alice, "joined");
      await say(alice, room, "whispered");
      const bobs = () => search(bob, "whispered", RECENT);
      await settle();
      expect(await bobs()).to.deep.include({ count: 0, results: [] });
      await act(bob, room, "join");
      expect(await bobs()).to.deep.include({ count: 0, results: [] });
      const heard = await say(alice, room, "whispered again");
      await settle();
      expect(idsIn(await bobs())).to.deep.equal([heard]);
      await act(bob, room, "leave");
      await say(alice, room, "whispered at last");
      await settle();
      expect(idsIn(await bobs())).to.deep.equal([heard]);
      const around = await search(bob, "whispered", {
        event_context: {},
        include_state: true,
      });
      const { events_before, events_after } = around.results[0]!.context!;
      const shown = [...events_before, ...events_after];
      expect(JSON.stringify(shown)).not.to.include("whispered");
      expect(around.state).to.deep.equal({});
      await act(bob, room, "forget");
      expect(await bobs()).to.deep.include({ count: 0, results: [] });
    });

    it("finds nothing of somebody who was erased, for those who came later", async () => {
      const room = await makePublicRoom(alice);
      const gone = await server.user(`gone${String(isRead)}`);
      await act(gone, room, "join");
      const said = await say(gone, room, "erasable words");
      const auth = {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: gone.userId },
        password: gone.password,
      };
      must(await gone.post("/account/deactivate", { auth, erase: true }));
      await act(bob, room, "join");
      await settle();
      expect(idsIn(await search(alice, "erasable"))).to.deep.equal([said]);
      expect((await search(bob, "erasable")).count).to.equal(0);
    });

    it("says nothing of whom the searcher ignores", async () => {
      const room = await makePublicRoom(alice);
      await act(bob, room, "join");
      await say(bob, room, "spammed");
      await settle();
      expect((await search(alice, "spammed")).count).to.equal(1);
      const target = path`/user/${alice.userId}/account_data/m.ignored_user_list`;
      must(await alice.put(target, { ignored_users: { [bob.userId]: {} } }));
      expect((await search(alice, "spammed")).count).to.equal(0);
      must(await alice.put(target, {}));
    });
  });
}

describe("a search", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  it("of nothing finds nothing, and one that is none is refused", async () => {
    const empty = await alice.post("/search", { search_categories: {} });
    expect(must(empty)).to.deep.equal({ search_categories: {} });
    for (const body of [
      {},
      { search_categories: [] },
      { search_categories: { room_events: {} } },
      { search_categories: { room_events: { search_term: 5 } } },
    ])
      expect((await alice.post("/search", body)).status).to.equal(400);
    for (const more of [
      { order_by: "oldest" },
      { keys: ["content.secret"] },
      { filter: { limit: -1 } },
      { filter: { rooms: ["x"] } },
      { groupings: { group_by: [{ key: "type" }] } },
      { groupings: { group_by: [{}] } },
      { event_context: { before_limit: -1 } },
    ]) {
      const { status, text } = await ask(alice, { search_term: "x", ...more });
      expect(status, text).to.equal(400);
    }
    for (const next of [
      "x",
      "s1_1_1",
      "s1_1_1_1_x",
      `s1_${"9".repeat(30)}_1_1`,
    ]) {
      const { body } = await ask(alice, { search_term: "x" }, next);
      expect(body["errcode"], next).to.equal("M_INVALID_PARAM");
    }
  });
});
