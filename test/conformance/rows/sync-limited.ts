import { expect } from "chai";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bodies,
  getMessages,
  idsOf,
  nextBatch,
  numbered,
  pageThrough,
  publicRoom,
  sendTexts,
  typesOf,
} from "../harness/rooms.ts";
import { findEvent, roomState, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const limited = ownRows("limited timelines");

const LIMIT = 4;
const FILTER = { room: { timeline: { limit: LIMIT } } };

const timelineOf = (sync: JsonObject, roomId: string) =>
  at(sync, "rooms", "join", roomId, "timeline");

const isLimited = (sync: JsonObject, roomId: string) =>
  at(timelineOf(sync, roomId), "limited");

const topicIn = (events: JsonObject[]) =>
  at(findEvent(events, "m.room.topic", ""), "content", "topic");

const setTopic = (user: User, roomId: string, topic: string) =>
  user.sendState(roomId, "m.room.topic", "", { topic });

/** Alice's room and token, and what happened since: more than a timeline holds. */
async function gap(alice: User) {
  const roomId = await publicRoom(alice, { topic: "first" });
  await alice.sendText(roomId, "before");
  const since = await alice.syncToken();
  await setTopic(alice, roomId, "in the gap");
  const hole = await sendTexts(alice, roomId, ...numbered("hole", 3));
  const shown = await sendTexts(alice, roomId, ...numbered("shown", LIMIT));
  const sync = await alice.sync({ since, filter: FILTER });
  const prevBatch = text(timelineOf(sync, roomId), "prev_batch");
  return { roomId, since, hole, shown, sync, prevBatch };
}

limited("a gap shows the newest events and says so", async ({ alice }) => {
  const { roomId, shown, sync } = await gap(alice);
  expect(isLimited(sync, roomId)).to.equal(true);
  expect(idsOf(timeline(sync, roomId))).to.deep.equal(shown);
});

limited(
  "prev_batch pages backwards through the gap to since",
  async ({ alice }) => {
    const { roomId, since, hole, prevBatch } = await gap(alice);
    const query = { dir: "b", from: prevBatch, to: since, limit: 50 } as const;
    const events = list(await getMessages(alice, roomId, query), "chunk");
    expect(idsOf(events).slice(0, -1)).to.deep.equal(hole.toReversed());
    expect(topicIn(events)).to.equal("in the gap");
  },
);

limited(
  "since pages forwards through the gap to prev_batch",
  async ({ alice }) => {
    const { roomId, since, hole, prevBatch } = await gap(alice);
    const query = { dir: "f", from: since, to: prevBatch, limit: 50 } as const;
    const events = list(await getMessages(alice, roomId, query), "chunk");
    expect(idsOf(events).slice(1)).to.deep.equal(hole);
    expect(topicIn(events)).to.equal("in the gap");
  },
);

limited(
  "the state of a gap is what changed in it, and no more",
  async ({ alice }) => {
    const { roomId, sync } = await gap(alice);
    const state = roomState(sync, roomId);
    expect(typesOf(state)).to.deep.equal(["m.room.topic"]);
    expect(topicIn(state)).to.equal("in the gap");
  },
);

limited(
  "the state of a gap is that at the start of the timeline",
  async ({ alice }) => {
    const roomId = await publicRoom(alice, { topic: "first" });
    const since = await alice.syncToken();
    await setTopic(alice, roomId, "in the gap");
    await sendTexts(alice, roomId, ...numbered("filler", LIMIT - 1));
    await setTopic(alice, roomId, "in the timeline");
    const sync = await alice.sync({ since, filter: FILTER });
    expect(isLimited(sync, roomId)).to.equal(true);
    expect(topicIn(roomState(sync, roomId))).to.equal("in the gap");
    expect(topicIn(timeline(sync, roomId))).to.equal("in the timeline");
  },
);

limited("as many events as the limit are no gap", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const since = await alice.syncToken();
  const sent = await sendTexts(alice, roomId, ...numbered("all", LIMIT));
  const sync = await alice.sync({ since, filter: FILTER });
  expect(idsOf(timeline(sync, roomId))).to.deep.equal(sent);
  expect(isLimited(sync, roomId) ?? false).to.equal(false);
  expect(roomState(sync, roomId)).to.deep.equal([]);
});

async function initialWith(alice: User, limit: number) {
  const roomId = await publicRoom(alice, { topic: "first" });
  await alice.sendText(roomId, "in between");
  await setTopic(alice, roomId, "second");
  const sync = await alice.sync({ filter: { room: { timeline: { limit } } } });
  expect(isLimited(sync, roomId)).to.equal(true);
  expect(topicIn(timeline(sync, roomId))).to.equal("second");
  return roomState(sync, roomId);
}

limited(
  "an initial sync has the state at the start of the timeline",
  async ({ alice }) => {
    const state = await initialWith(alice, 2);
    expect(topicIn(state)).to.equal("first");
    expect(typesOf(state)).to.include.members([
      ...["m.room.create", "m.room.member", "m.room.power_levels"],
      ...["m.room.join_rules", "m.room.history_visibility"],
    ]);
  },
);

limited(
  "the state at the start is that before a first event that changes it",
  async ({ alice }) => {
    expect(topicIn(await initialWith(alice, 1))).to.equal("first");
  },
);

limited(
  "a room that fits its timeline has no other state",
  async ({ alice }) => {
    const roomId = await publicRoom(alice);
    const filter = { room: { timeline: { limit: 50 } } };
    const sync = await alice.sync({ filter });
    expect(roomState(sync, roomId)).to.deep.equal([]);
    expect(typesOf(timeline(sync, roomId))[0]).to.equal("m.room.create");
    expect(isLimited(sync, roomId) ?? false).to.equal(false);
  },
);

limited(
  "prev_batch of an initial sync leads to the room's beginning",
  async ({ alice }) => {
    const roomId = await publicRoom(alice);
    const sent = await sendTexts(alice, roomId, ...numbered("message", 12));
    const sync = await alice.sync({ filter: FILTER });
    const from = text(timelineOf(sync, roomId), "prev_batch");
    const earlier = await pageThrough(alice, roomId, {
      dir: "b",
      from,
      limit: 3,
    });
    expect(typesOf(earlier).at(-1)).to.equal("m.room.create");
    const all = [...earlier.toReversed(), ...timeline(sync, roomId)];
    const messages = idsOf(all).filter((id) => sent.includes(id));
    expect(messages).to.deep.equal(sent);
    expect(new Set(idsOf(all)).size).to.equal(all.length);
  },
);

limited("next_batch is a place in /messages, both ways", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  await sendTexts(alice, roomId, "one", "two");
  const from = nextBatch(await alice.sync());
  await sendTexts(alice, roomId, "three", "four");
  const bodiesOf = async (dir: "b" | "f", limit: number) =>
    bodies(
      list(await getMessages(alice, roomId, { dir, from, limit }), "chunk"),
    );
  expect(await bodiesOf("b", 2)).to.deep.equal(["two", "one"]);
  expect(await bodiesOf("f", 2)).to.deep.equal(["three", "four"]);
});

limited(
  "a filtered timeline is limited by what passes the filter",
  async ({ alice }) => {
    const roomId = await publicRoom(alice);
    const since = await alice.syncToken();
    await alice.sendText(roomId, "kept");
    for (let n = 0; n < LIMIT * 2; n++)
      await alice.send(roomId, "m.noise", { n });
    const filter = {
      room: { timeline: { limit: LIMIT, types: ["m.room.message"] } },
    };
    const sync = await alice.sync({ since, filter });
    expect(bodies(timeline(sync, roomId))).to.deep.equal(["kept"]);
    expect(isLimited(sync, roomId) ?? false).to.equal(false);
  },
);
