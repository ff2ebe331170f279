import { expect } from "chai";
import { at, list } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import { path } from "../harness/client.ts";
import {
  membersIn,
  nextBatch,
  numbered,
  publicRoom,
  sendTexts,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { allState, findEvent, roomState } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const lazy = ownRows("lazy-loaded members");

const filterOf = (more: object = {}) => ({
  room: {
    timeline: { limit: 2 },
    state: { lazy_load_members: true, ...more },
  },
});

const LAZY = filterOf();

/** A room of Alice's in which Bob and two others are, and Bob spoke last. */
async function crowd(server: Server, alice: User, bob: User) {
  const quiet = [await server.user("quiet"), await server.user("quiet")];
  const roomId = await publicRoom(alice, { name: "crowd" });
  for (const member of [...quiet, bob]) await member.join(roomId);
  await sendTexts(bob, roomId, "one", "two");
  return { roomId, quiet };
}

lazy(
  "an initial sync has the senders and oneself, not the crowd",
  async ({ server, alice, bob }) => {
    const { roomId, quiet } = await crowd(server, alice, bob);
    const sync = await alice.sync({ filter: LAZY });
    const members = membersIn(allState(sync, roomId));
    expect(members).to.include.members([alice.userId, bob.userId]);
    const others = quiet.map((user) => user.userId);
    expect(members).to.not.have.any.members(others);
  },
);

lazy("without it everybody is there", async ({ server, alice, bob }) => {
  const { roomId, quiet } = await crowd(server, alice, bob);
  const sync = await alice.sync({
    filter: { room: { timeline: { limit: 2 } } },
  });
  expect(membersIn(allState(sync, roomId))).to.have.members(
    [alice, bob, ...quiet].map((user) => user.userId),
  );
});

lazy(
  "a sender who was not told of before is told of",
  async ({ server, alice, bob }) => {
    const { roomId, quiet } = await crowd(server, alice, bob);
    const since = nextBatch(await alice.sync({ filter: LAZY }));
    const [speaker] = quiet;
    await speaker?.sendText(roomId, "not so quiet");
    const sync = await alice.sync({ filter: LAZY, since });
    expect(membersIn(roomState(sync, roomId))).to.include(speaker?.userId);
  },
);

lazy(
  "include_redundant_members tells of known senders again",
  async ({ server, alice, bob }) => {
    const { roomId } = await crowd(server, alice, bob);
    const filter = filterOf({ include_redundant_members: true });
    const since = nextBatch(await alice.sync({ filter }));
    await bob.sendText(roomId, "again");
    const sync = await alice.sync({ filter, since });
    expect(membersIn(roomState(sync, roomId))).to.include(bob.userId);
  },
);

lazy(
  "whoever changed in a gap is told of, sender or not",
  async ({ server, alice, bob }) => {
    const { roomId, quiet } = await crowd(server, alice, bob);
    const since = nextBatch(await alice.sync({ filter: LAZY }));
    const [renamed, leaver] = quiet;
    await renamed?.sendState(roomId, "m.room.member", renamed.userId, {
      membership: "join",
      displayname: "Renamed",
    });
    await leaver?.leave(roomId);
    await sendTexts(bob, roomId, ...numbered("filler", 3));
    const sync = await alice.sync({ filter: LAZY, since });
    const state = roomState(sync, roomId);
    const change = findEvent(state, "m.room.member", renamed?.userId);
    expect(at(change, "content", "displayname")).to.equal("Renamed");
    const leave = findEvent(state, "m.room.member", leaver?.userId);
    expect(at(leave, "content", "membership")).to.equal("leave");
  },
);

lazy(
  "a newly joined room and full_state show one's own membership",
  async ({ server, alice, bob }) => {
    const { roomId } = await crowd(server, alice, bob);
    const charlie = await server.user("charlie");
    const before = await charlie.syncToken();
    await charlie.join(roomId);
    await sendTexts(bob, roomId, ...numbered("filler", 3));
    const joined = await charlie.sync({ filter: LAZY, since: before });
    expect(membersIn(allState(joined, roomId))).to.include(charlie.userId);
    const since = nextBatch(joined);
    const full = await charlie.sync({
      filter: filterOf({ include_redundant_members: true }),
      since,
      full_state: true,
    });
    expect(membersIn(allState(full, roomId))).to.include(charlie.userId);
  },
);

lazy(
  "/context has the senders around an event",
  async ({ server, alice, bob }) => {
    const { roomId, quiet } = await crowd(server, alice, bob);
    const eventId = await bob.sendText(roomId, "the middle");
    const body = await alice.mustGet(
      path`/rooms/${roomId}/context/${eventId}`,
      {
        limit: 2,
        filter: JSON.stringify({ lazy_load_members: true }),
      },
    );
    const members = membersIn(list(body, "state"));
    expect(members).to.include(bob.userId);
    const others = quiet.map((user) => user.userId);
    expect(members).to.not.have.any.members(others);
  },
);
