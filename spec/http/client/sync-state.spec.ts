import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  say,
  setState,
} from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";
import {
  type SyncEvent,
  SyncReader,
  type SyncRoom,
} from "../../support/sync-reader.ts";

describe("the state in GET /sync", () => {
  const server = useServer();
  let count = 0;
  const newUser = (name: string) => server.user(`${name}${(count += 1)}`);

  const setName = (user: TestUser, roomId: string, name: string) =>
    setState(user, roomId, "m.room.name", { name });

  /** The room's name, as a client has it that applies the state and then the timeline. */
  const nameIn = ({ state, timeline }: SyncRoom): unknown =>
    [...state!.events, ...timeline.events].findLast(
      ({ type }) => type === "m.room.name",
    )?.content["name"];

  it("stands under the name of MSC4222 for who asks by that name", async () => {
    const alice = await newUser("alice");
    const roomId = await makeRoom(alice, { name: "A" });
    const filter = JSON.stringify({ room: { timeline: { limit: 1 } } });
    const roomOf = async (query: object) => {
      const search = new URLSearchParams({ filter, ...query });
      const { rooms } = must<{
        rooms: { join: Record<string, Record<string, unknown>> };
      }>(await alice.get(`/sync?${search}`));
      return rooms.join[roomId]!;
    };
    const unstable = "org.matrix.msc4222.state_after";
    const asked = await roomOf({ "org.matrix.msc4222.use_state_after": true });
    expect(asked).to.include.keys(unstable);
    expect(asked).not.to.have.any.keys("state", "state_after");
    const { events } = asked[unstable] as { events: SyncEvent[] };
    expect(events.map(({ type }) => type)).to.include.members([
      "m.room.create",
      "m.room.name",
      "m.room.member",
    ]);
    const stable = await roomOf({ use_state_after: true });
    expect(stable).to.include.keys("state_after");
    expect(stable).not.to.have.any.keys("state", unstable);
  });

  it("holds what changed unseen before one's join, where history is for members", async () => {
    const [alice, bob] = [await newUser("alice"), await newUser("bob")];
    const roomId = await makePublicRoom(alice, "joined");
    await setName(alice, roomId, "A");
    const reader = new SyncReader(bob);
    await reader.next();
    await act(bob, roomId, "join");
    const joined = await reader.next();
    expect(nameIn(joined.rooms.join[roomId]!)).to.equal("A");
    reader.since = undefined;
    expect(nameIn((await reader.next()).rooms.join[roomId]!)).to.equal("A");
  });

  it("holds what changed while one was away between two syncs", async () => {
    const [alice, bob] = [await newUser("alice"), await newUser("bob")];
    const roomId = await makePublicRoom(alice, "joined");
    await act(bob, roomId, "join");
    const reader = new SyncReader(bob);
    await reader.next();
    await act(bob, roomId, "leave");
    await setName(alice, roomId, "A");
    await act(bob, roomId, "join");
    expect(nameIn((await reader.next()).rooms.join[roomId]!)).to.equal("A");
  });

  it("holds what the timeline's filter leaves out", async () => {
    const alice = await newUser("alice");
    const roomId = await makeRoom(alice);
    const filter = { room: { timeline: { types: ["m.room.message"] } } };
    const reader = new SyncReader(alice, { filter });
    await reader.next();
    await say(alice, roomId, "before");
    await setName(alice, roomId, "A");
    await say(alice, roomId, "after");
    const room = (await reader.next()).rooms.join[roomId]!;
    expect(room.timeline.events).to.have.length(2);
    expect(nameIn(room)).to.equal("A");
  });

  it("of a left room goes no further than the leave", async () => {
    const [alice, bob] = [await newUser("alice"), await newUser("bob")];
    const roomId = await makePublicRoom(alice, "joined");
    await act(bob, roomId, "join");
    const reader = new SyncReader(bob, {
      filter: { room: { timeline: { types: [] } } },
    });
    await reader.next();
    await setName(alice, roomId, "seen");
    await act(bob, roomId, "leave");
    await setName(alice, roomId, "unseen");
    await act(alice, roomId, "ban", { user_id: bob.userId });
    expect(nameIn((await reader.next()).rooms.leave[roomId]!)).to.equal("seen");
  });

  it("tells who is in the room where a filter hides who came, and heroes where it lost its name", async () => {
    const [alice, bob] = [await newUser("alice"), await newUser("bob")];
    const roomId = await makeRoom(alice, { preset: "public_chat", name: "A" });
    const plain = new SyncReader(alice);
    const filtered = new SyncReader(alice, {
      filter: { room: { timeline: { types: ["m.room.message"] } } },
    });
    for (const reader of [plain, filtered]) await reader.next();
    await act(bob, roomId, "join");
    for (const reader of [plain, filtered]) {
      const { summary } = (await reader.next()).rooms.join[roomId]!;
      expect(summary!["m.joined_member_count"]).to.equal(2);
      expect(summary).not.to.have.property("m.heroes");
    }
    await setName(alice, roomId, "");
    for (const reader of [plain, filtered]) {
      const { summary } = (await reader.next()).rooms.join[roomId]!;
      expect(summary!["m.heroes"]).to.deep.equal([bob.userId]);
    }
  });
});
