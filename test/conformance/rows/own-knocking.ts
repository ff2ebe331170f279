import { expect } from "chai";
import { knock, knockOf, knockState, syncKnocked } from "../harness/knocks.ts";
import { ownRows } from "../harness/own-rows.ts";
import { contentOf, nextBatch, stateOf } from "../harness/rooms.ts";
import { findEvent } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const knocks = ownRows("knocking");

const knockRoom = (user: User) =>
  user.createRoom({
    name: "Knock here",
    initial_state: [stateOf("m.room.join_rules", { join_rule: "knock" })],
  });

knocks("shows the room's state to who knocked", async ({ alice, bob }) => {
  const roomId = await knockRoom(alice);
  const before = await bob.syncToken();
  await knock(bob, roomId, "Let me in");
  const events = knockState(await syncKnocked(bob, roomId, before), roomId);
  const name = findEvent(events, "m.room.name", "");
  expect(name && contentOf(name)).to.deep.equal({ name: "Knock here" });
  expect(findEvent(events, "m.room.create", "")).to.be.an("object");
});

knocks(
  "is shown by an initial sync, and not told twice",
  async ({ alice, bob }) => {
    const roomId = await knockRoom(alice);
    const before = await bob.syncToken();
    await knock(bob, roomId);
    const since = nextBatch(await syncKnocked(bob, roomId, before));
    expect(knockOf(await bob.sync({ since }), roomId)).to.equal(undefined);
    const fresh = await bob.sync({ timeout: 1 });
    expect(knockOf(fresh, roomId)).to.not.equal(undefined);
  },
);
