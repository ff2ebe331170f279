import { expect } from "chai";
import { at, list, type JsonObject } from "../harness/json.ts";
import { row, shared } from "../harness/registry.ts";
import { contentOf, createFilter, publicRoom } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { findEvent, leftTimeline } from "../harness/sync.ts";

const STATE = "a.madeup.test.state";

const FILTER = {
  room: {
    timeline: { types: ["m.room.message", STATE] },
    state: { types: [STATE] },
    include_leave: true,
  },
};

const NO_TIMELINE = { room: { timeline: { limit: 0 }, include_leave: true } };

/** Bob leaves a room in which Alice spoke and set a state before, and does so again after. */
const archived = shared(async (server: Server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const filter = await createFilter(bob, FILTER);
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const since = await bob.syncToken();
  const change = async (word: string) => {
    await alice.sendText(roomId, word);
    await alice.sendState(roomId, STATE, "", { my_key: word });
  };
  await change("before");
  await bob.leave(roomId);
  await change("after");
  return { bob, filter, roomId, since };
});

type Archived = Awaited<ReturnType<typeof archived>>;

const leftState = (sync: JsonObject, roomId: string) =>
  list(sync, "rooms", "leave", roomId, "state", "events");

const shows = (
  name: string,
  ask: (scene: Archived) => Promise<JsonObject>,
  check: (sync: JsonObject, scene: Archived) => void,
) => {
  row("csapi", "TestArchivedRoomsHistory", name, async (server) => {
    const scene = await archived(server);
    check(await ask(scene), scene);
  });
};

function checkTimeline(sync: JsonObject, { roomId }: Archived) {
  const events = leftTimeline(sync, roomId).map(contentOf);
  expect(events).to.deep.equal([
    { msgtype: "m.text", body: "before" },
    { my_key: "before" },
  ]);
  expect(leftState(sync, roomId)).to.deep.equal([]);
}

function checkState(sync: JsonObject, { bob, roomId }: Archived) {
  expect(leftTimeline(sync, roomId)).to.deep.equal([]);
  const state = leftState(sync, roomId);
  const made = findEvent(state, STATE, "");
  expect(at(made, "content", "my_key")).to.equal("before");
  const own = findEvent(state, "m.room.member", bob.userId);
  expect(at(own, "content", "membership")).to.equal("leave");
}

shows(
  "timeline has events/initial sync",
  ({ bob, filter }) => bob.sync({ filter }),
  checkTimeline,
);
shows(
  "timeline has events/incremental sync",
  ({ bob, filter, since }) => bob.sync({ filter, since }),
  checkTimeline,
);
shows(
  "timeline is empty/initial sync",
  ({ bob }) => bob.sync({ filter: NO_TIMELINE }),
  checkState,
);
shows(
  "timeline is empty/incremental sync",
  ({ bob, since }) => bob.sync({ filter: NO_TIMELINE, since }),
  checkState,
);
