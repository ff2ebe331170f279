import { expect } from "chai";
import { at, list } from "../harness/json.ts";
import { row, shared } from "../harness/registry.ts";
import {
  createFilter,
  idsOf,
  nextBatch,
  numbered,
  publicRoom,
  roomWithHistory,
  sendTexts,
  stateOf,
  syncInvited,
  syncLeft,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { hasMembership, isLeftIn, leftTimeline } from "../harness/sync.ts";

const INCLUDE_LEAVE = { room: { include_leave: true } };
const GAPPY = { room: { timeline: { limit: 1 }, include_leave: true } };

/** A room that Alice has left, with her tokens from before. */
const leaving = shared(async (server: Server) => {
  const alice = await server.user("alice");
  const filter = await createFilter(alice, INCLUDE_LEAVE);
  const roomId = await alice.createRoom();
  const since = nextBatch(await alice.sync());
  const filtered = nextBatch(await alice.sync({ filter }));
  await alice.leave(roomId);
  return { alice, roomId, filter, since, filtered };
});

const leaves = (
  name: string,
  run: (scene: Awaited<ReturnType<typeof leaving>>) => Promise<void>,
) => {
  row("csapi", "TestSyncLeaveSection", name, async (server) =>
    run(await leaving(server)),
  );
};

leaves(
  "Left rooms appear in the leave section of sync",
  async ({ alice, roomId, filter }) => {
    await alice.syncUntil((sync) => isLeftIn(sync, roomId), { filter });
    expect(isLeftIn(await alice.sync(), roomId)).to.equal(false);
  },
);

leaves(
  "Left rooms appear in the leave section of full state sync",
  async ({ alice, roomId, filter, filtered }) => {
    const query = { since: filtered, filter, full_state: true };
    await alice.syncUntil((sync) => isLeftIn(sync, roomId), query);
  },
);

leaves(
  "Newly left rooms appear in the leave section of incremental sync",
  async ({ alice, roomId, since }) => {
    await syncLeft(alice, roomId, since);
  },
);

row("csapi", "TestGappedSyncLeaveSection", "", async (server) => {
  const alice = await server.user("alice");
  const filter = await createFilter(alice, GAPPY);
  const roomId = await alice.createRoom();
  const other = await alice.createRoom();
  const since = nextBatch(await alice.sync({ filter }));
  await alice.leave(roomId);
  await sendTexts(alice, other, ...numbered("filler", 20));
  const sync = await alice.sync({ filter, since });
  expect(isLeftIn(sync, roomId)).to.equal(true);
});

row("csapi", "TestOlderLeftRoomsNotInLeaveSection", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const filter = await createFilter(alice, GAPPY);
  const roomId = await publicRoom(alice);
  const other = await publicRoom(alice);
  await bob.join(roomId);
  await bob.join(other);
  const before = nextBatch(await alice.sync({ filter }));
  await alice.leave(roomId);
  const left = await alice.syncUntil((sync) => isLeftIn(sync, roomId), {
    filter,
    since: before,
  });
  await bob.sendState(roomId, "m.room.member", bob.userId, {
    membership: "join",
    filler: "Welcome back",
  });
  await sendTexts(bob, other, ...numbered("filler", 20));
  const sync = await alice.sync({ filter, since: nextBatch(left) });
  expect(at(sync, "rooms", "join", other)).to.not.equal(undefined);
  expect(at(sync, "rooms", "leave") ?? {}).to.deep.equal({});
});

row("csapi", "TestLeaveEventVisibility", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const filter = await createFilter(alice, INCLUDE_LEAVE);
  const roomId = await roomWithHistory(alice, "joined");
  await bob.join(roomId);
  const since = nextBatch(await alice.sync({ filter }));
  await alice.leave(roomId);
  await bob.sendText(roomId, "after");
  const sync = await alice.syncUntil((found) => isLeftIn(found, roomId), {
    filter,
    since,
  });
  const [event, ...others] = leftTimeline(sync, roomId);
  expect(idsOf(others)).to.deep.equal([]);
  expect(event).to.include({ type: "m.room.member", sender: alice.userId });
  expect(at(event, "content", "membership")).to.equal("leave");
  const state = list(sync, "rooms", "leave", roomId, "state", "events");
  expect(state).to.deep.equal([]);
});

row("csapi", "TestLeaveEventInviteRejection", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const filter = await createFilter(alice, INCLUDE_LEAVE);
  const roomId = await bob.createRoom({
    initial_state: [
      stateOf("m.room.history_visibility", { history_visibility: "joined" }),
    ],
  });
  const before = nextBatch(await alice.sync({ filter }));
  await bob.invite(roomId, alice.userId);
  const since = nextBatch(await syncInvited(alice, roomId, before));
  await alice.leave(roomId);
  const sync = await alice.syncUntil((found) => isLeftIn(found, roomId), {
    filter,
    since,
  });
  const events = leftTimeline(sync, roomId);
  expect(hasMembership(events, alice.userId, "leave")).to.equal(true);
});
