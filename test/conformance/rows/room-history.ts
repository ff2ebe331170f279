import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { list } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bodies,
  bringIn,
  getEvent,
  getMessages,
  listState,
  nextBatch,
  pageThrough,
  publicRoom,
  roomWithHistory,
  syncJoined,
  syncLeft,
  typesOf,
} from "../harness/rooms.ts";
import { leftTimeline, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const history = ownRows("history visibility");

const seenBy = async (user: User, roomId: string) =>
  bodies(await pageThrough(user, roomId, { dir: "b", limit: 50 })).toReversed();

const setHistory = (user: User, roomId: string, history_visibility: string) =>
  user.sendState(roomId, "m.room.history_visibility", "", {
    history_visibility,
  });

const EXPECTED = {
  world_readable: ["stranger", "invited", "joined"],
  shared: ["stranger", "invited", "joined"],
  invited: ["invited", "joined"],
  joined: ["joined"],
};

for (const [visibility, expected] of Object.entries(EXPECTED))
  history(
    `${visibility} shows a member what it says`,
    async ({ alice, bob }) => {
      const roomId = await roomWithHistory(alice, visibility);
      await alice.sendText(roomId, "stranger");
      await alice.invite(roomId, bob.userId);
      await alice.sendText(roomId, "invited");
      const since = await bob.syncToken();
      await bob.join(roomId);
      await alice.sendText(roomId, "joined");
      expect(await seenBy(bob, roomId)).to.deep.equal(expected);
      const filter = { room: { timeline: { limit: 50 } } };
      const sync = await bob.sync({ since, filter });
      expect(bodies(timeline(sync, roomId))).to.deep.equal(expected);
    },
  );

history(
  "a change shows and hides only what comes after it",
  async ({ alice, bob }) => {
    const roomId = await roomWithHistory(alice, "joined");
    await alice.sendText(roomId, "under joined");
    await setHistory(alice, roomId, "shared");
    await alice.sendText(roomId, "under shared");
    await setHistory(alice, roomId, "joined");
    await alice.sendText(roomId, "under joined again");
    await bob.join(roomId);
    expect(await seenBy(bob, roomId)).to.deep.equal(["under shared"]);
  },
);

history("who left sees nothing of what came after", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  await alice.sendText(roomId, "before");
  const since = await bob.syncToken();
  await bob.leave(roomId);
  const after = await alice.sendText(roomId, "after");
  expect(await seenBy(bob, roomId)).to.deep.equal(["before"]);
  expectError(await getEvent(bob, roomId, after), 404, "M_NOT_FOUND");
  const sync = await syncLeft(bob, roomId, since);
  expect(bodies(leftTimeline(sync, roomId))).to.deep.equal([]);
});

history(
  "who comes back sees what happened meanwhile, where shared",
  async ({ alice, bob }) => {
    for (const [visibility, expected] of [
      ["shared", ["first stay", "away", "second stay"]],
      ["joined", ["first stay", "second stay"]],
    ] as const) {
      const roomId = await roomWithHistory(alice, visibility);
      await bob.join(roomId);
      await alice.sendText(roomId, "first stay");
      await bob.leave(roomId);
      await alice.sendText(roomId, "away");
      await bob.join(roomId);
      await alice.sendText(roomId, "second stay");
      expect(await seenBy(bob, roomId), visibility).to.deep.equal(expected);
    }
  },
);

history(
  "world_readable lets strangers read, and only read",
  async ({ alice, bob }) => {
    const roomId = await roomWithHistory(alice, "world_readable");
    await alice.sendText(roomId, "for the world");
    expect(await seenBy(bob, roomId)).to.deep.equal(["for the world"]);
    expect(typesOf(await listState(bob, roomId))).to.include("m.room.create");
    const target = path`/rooms/${roomId}/send/m.room.message/${bob.nextTxn()}`;
    expectError(await bob.put(target, { body: "no" }), 403, "M_FORBIDDEN");
  },
);

history("an invite alone does not open the room", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  await alice.sendText(roomId, "private");
  await alice.invite(roomId, bob.userId);
  const target = path`/rooms/${roomId}/messages`;
  expectError(await bob.get(target, { dir: "b" }), 403, "M_FORBIDDEN");
  const state = path`/rooms/${roomId}/state`;
  expectError(await bob.get(state), 403, "M_FORBIDDEN");
});

history("the ignored are not heard in sync", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  await bringIn(alice, roomId, bob);
  const ignored = { ignored_users: { [bob.userId]: {} } };
  await alice.mustPut(
    path`/user/${alice.userId}/account_data/m.ignored_user_list`,
    ignored,
  );
  const since = await alice.syncToken();
  await bob.sendText(roomId, "unheard");
  await bob.sendState(roomId, "m.room.member", bob.userId, {
    membership: "join",
    displayname: "Still a member",
  });
  await alice.sendText(roomId, "heard");
  const sync = await syncJoined(alice, roomId, since);
  const events = timeline(sync, roomId);
  expect(bodies(events)).to.deep.equal(["heard"]);
  expect(typesOf(events)).to.include("m.room.member");
});

history(
  "a token of sync pages a left room as it was left",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    await alice.sendText(roomId, "before");
    const since = await bob.syncToken();
    await bob.leave(roomId);
    await alice.sendText(roomId, "after");
    const from = nextBatch(await syncLeft(bob, roomId, since));
    const page = async (dir: "b" | "f") =>
      bodies(list(await getMessages(bob, roomId, { dir, from }), "chunk"));
    expect(await page("b")).to.deep.equal(["before"]);
    expect(await page("f")).to.deep.equal([]);
  },
);
