import { expect } from "chai";
import { at, strings, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bringIn,
  membersIn,
  nextBatch,
  publicRoom,
  syncJoined,
} from "../harness/rooms.ts";
import { allState } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const heroes = ownRows("room summaries");

/** Servers need to send a summary only where the client loads members lazily. */
const LAZY = { room: { state: { lazy_load_members: true } } };

const summaryOf = (sync: JsonObject, roomId: string) =>
  at(sync, "rooms", "join", roomId, "summary");

const heroesOf = (sync: JsonObject, roomId: string) =>
  strings(summaryOf(sync, roomId), "m.heroes");

const countsOf = (sync: JsonObject, roomId: string) => {
  const summary = summaryOf(sync, roomId);
  return [
    at(summary, "m.joined_member_count"),
    at(summary, "m.invited_member_count"),
  ];
};

const lazily = (user: User, since?: string) =>
  user.sync({ filter: LAZY, since });

heroes("count the joined and the invited", async ({ server, alice, bob }) => {
  const charlie = await server.user("charlie");
  const roomId = await publicRoom(alice, { invite: [charlie.userId] });
  await bob.join(roomId);
  const sync = await lazily(alice);
  expect(countsOf(sync, roomId)).to.deep.equal([2, 1]);
});

heroes(
  "name the other members, invited or joined",
  async ({ server, alice, bob }) => {
    const charlie = await server.user("charlie");
    const roomId = await alice.createRoom({ invite: [charlie.userId] });
    await bringIn(alice, roomId, bob);
    const sync = await lazily(alice);
    const found = heroesOf(sync, roomId);
    expect(found).to.have.members([bob.userId, charlie.userId]);
  },
);

heroes(
  "bring their member events along when members load lazily",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    await bringIn(alice, roomId, bob);
    for (let n = 0; n < 12; n++) await alice.sendText(roomId, `filler ${n}`);
    const sync = await lazily(alice);
    expect(heroesOf(sync, roomId)).to.deep.equal([bob.userId]);
    expect(membersIn(allState(sync, roomId))).to.include(bob.userId);
  },
);

heroes(
  "name at least five of many members, and never oneself",
  async ({ server, alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    for (let n = 0; n < 5; n++) await (await server.user("guest")).join(roomId);
    const found = heroesOf(await lazily(bob), roomId);
    expect(found.length).to.be.at.least(5);
    expect(found).to.not.include(bob.userId);
  },
);

heroes(
  "name those who left when nobody else remains",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    await bringIn(alice, roomId, bob);
    await bob.leave(roomId);
    const sync = await lazily(alice);
    expect(heroesOf(sync, roomId)).to.deep.equal([bob.userId]);
    expect(countsOf(sync, roomId)).to.deep.equal([1, 0]);
  },
);

heroes("come again when the members change", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  const since = nextBatch(await lazily(alice));
  await bob.join(roomId);
  await syncJoined(alice, roomId, since);
  const sync = await lazily(alice, since);
  expect(heroesOf(sync, roomId)).to.deep.equal([bob.userId]);
  expect(countsOf(sync, roomId)[0]).to.equal(2);
});
