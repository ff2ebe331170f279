import { expect } from "chai";
import { at, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  nextBatch,
  numbered,
  publicRoom,
  sendTexts,
  typesOf,
} from "../harness/rooms.ts";
import { stateAfterOf, syncStateAfter } from "../harness/state-after.ts";
import { findEvent, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const after = ownRows("state_after");

const FILTER = { room: { timeline: { limit: 3 } } };

const topicIn = (events: JsonObject[]) =>
  at(findEvent(events, "m.room.topic", ""), "content", "topic");

const setTopic = (user: User, roomId: string, topic: string) =>
  user.sendState(roomId, "m.room.topic", "", { topic });

after(
  "an initial sync has the state at the end of the timeline",
  async ({ alice }) => {
    const roomId = await publicRoom(alice, { topic: "first" });
    await setTopic(alice, roomId, "second");
    const sync = await syncStateAfter(alice, { filter: FILTER });
    const state = stateAfterOf(sync, roomId);
    expect(topicIn(timeline(sync, roomId))).to.equal("second");
    expect(topicIn(state)).to.equal("second");
    expect(typesOf(state)).to.include.members([
      ...["m.room.create", "m.room.member", "m.room.power_levels"],
    ]);
    const topics = typesOf(state).filter((type) => type === "m.room.topic");
    expect(topics).to.have.length(1);
    expect(at(sync, "rooms", "join", roomId)).to.not.have.property("state");
  },
);

after(
  "a gap has what changed until the end of the timeline",
  async ({ alice }) => {
    const roomId = await publicRoom(alice, { topic: "first", name: "name" });
    const since = nextBatch(await syncStateAfter(alice));
    await setTopic(alice, roomId, "in the gap");
    await sendTexts(alice, roomId, ...numbered("filler", 4));
    await setTopic(alice, roomId, "in the timeline");
    const sync = await syncStateAfter(alice, { since, filter: FILTER });
    const state = stateAfterOf(sync, roomId);
    expect(typesOf(state)).to.deep.equal(["m.room.topic"]);
    expect(topicIn(state)).to.equal("in the timeline");
  },
);

after("a state change in the timeline is told there too", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const since = nextBatch(await syncStateAfter(alice));
  await setTopic(alice, roomId, "new");
  const sync = await syncStateAfter(alice, { since });
  expect(topicIn(timeline(sync, roomId))).to.equal("new");
  expect(topicIn(stateAfterOf(sync, roomId))).to.equal("new");
});

after("a message alone changes no state", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const since = nextBatch(await syncStateAfter(alice));
  await alice.sendText(roomId, "hello");
  const sync = await syncStateAfter(alice, { since });
  expect(stateAfterOf(sync, roomId)).to.deep.equal([]);
});

after("a newly joined room has its whole state", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice, { topic: "topic" });
  const since = nextBatch(await syncStateAfter(bob));
  await bob.join(roomId);
  const sync = await syncStateAfter(bob, { since });
  const state = stateAfterOf(sync, roomId);
  expect(topicIn(state)).to.equal("topic");
  const own = findEvent(state, "m.room.member", bob.userId);
  expect(at(own, "content", "membership")).to.equal("join");
  expect(findEvent(state, "m.room.member", alice.userId)).to.be.an("object");
});

after(
  "a left room has the state until the leave, in its section",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const since = nextBatch(await syncStateAfter(bob));
    await setTopic(alice, roomId, "before");
    await bob.leave(roomId);
    await setTopic(alice, roomId, "after");
    const sync = await syncStateAfter(bob, { since });
    const state = stateAfterOf(sync, roomId, "leave");
    expect(topicIn(state)).to.equal("before");
    const own = findEvent(state, "m.room.member", bob.userId);
    expect(at(own, "content", "membership")).to.equal("leave");
  },
);

after("full_state repeats the state that did not change", async ({ alice }) => {
  const roomId = await publicRoom(alice, { topic: "topic" });
  const since = nextBatch(await syncStateAfter(alice));
  const sync = await syncStateAfter(alice, { since, full_state: true });
  expect(topicIn(stateAfterOf(sync, roomId))).to.equal("topic");
});
