import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, list, text } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bodies,
  getMessages,
  idsOf,
  numbered,
  pageThrough,
  publicRoom,
  sendTexts,
  typesOf,
} from "../harness/rooms.ts";

const pages = ownRows("paging through messages");

pages("backwards and forwards give the same events", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  await sendTexts(alice, roomId, ...numbered("message", 9));
  const back = await pageThrough(alice, roomId, { dir: "b", limit: 4 });
  const forth = await pageThrough(alice, roomId, { dir: "f", limit: 4 });
  expect(idsOf(forth)).to.deep.equal(idsOf(back).toReversed());
  expect(typesOf(forth)[0]).to.equal("m.room.create");
  expect(new Set(idsOf(back)).size).to.equal(back.length);
});

pages("the default is ten events", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  await sendTexts(alice, roomId, ...numbered("message", 11));
  const body = await getMessages(alice, roomId, { dir: "b" });
  expect(list(body, "chunk")).to.have.length(10);
});

pages("start is the token that was given", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  await sendTexts(alice, roomId, ...numbered("message", 4));
  const first = await getMessages(alice, roomId, { dir: "b", limit: 2 });
  const from = text(first, "end");
  const next = await getMessages(alice, roomId, { dir: "b", limit: 2, from });
  expect(text(next, "start")).to.equal(from);
  expect(bodies(list(next, "chunk"))).to.deep.equal(["message 2", "message 1"]);
});

pages("there is no end where the room begins", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const body = await getMessages(alice, roomId, { dir: "b", limit: 50 });
  expect(typesOf(list(body, "chunk")).at(-1)).to.equal("m.room.create");
  const from = at(body, "end");
  if (typeof from !== "string") return;
  const rest = await getMessages(alice, roomId, { dir: "b", from });
  expect(rest["chunk"]).to.deep.equal([]);
  expect(rest).to.not.have.property("end");
});

pages("a filter chooses events and members", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  await alice.sendText(roomId, "alice");
  await bob.sendText(roomId, "bob");
  const filter = JSON.stringify({
    types: ["m.room.message"],
    senders: [bob.userId],
  });
  const found = await pageThrough(alice, roomId, { dir: "b", filter });
  expect(bodies(found)).to.deep.equal(["bob"]);
});

pages(
  "events carry the room's id, and replaced state what it was",
  async ({ alice }) => {
    const roomId = await publicRoom(alice, { topic: "old" });
    const first = await alice.getState(roomId, "m.room.topic");
    await alice.sendState(roomId, "m.room.topic", "", { topic: "new" });
    const body = await getMessages(alice, roomId, { dir: "b", limit: 1 });
    const [event] = list(body, "chunk");
    expect(event?.["room_id"]).to.equal(roomId);
    expect(at(event, "content", "topic")).to.equal("new");
    expect(at(event, "unsigned", "prev_content")).to.deep.equal(first);
  },
);

pages("a bad direction, token or filter is refused", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const target = path`/rooms/${roomId}/messages`;
  for (const query of [
    { dir: "sideways" },
    { dir: "b", from: "no token" },
    { dir: "b", filter: "{ no JSON" },
  ]) {
    const answer = await alice.get(target, query);
    expect(answer.status, JSON.stringify(query)).to.equal(400);
  }
});

pages(
  "messages of many senders keep one order everywhere",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    await Promise.all([
      sendTexts(alice, roomId, ...numbered("alice", 6)),
      sendTexts(bob, roomId, ...numbered("bob", 6)),
    ]);
    const query = { dir: "b", limit: 5 } as const;
    const hers = idsOf(await pageThrough(alice, roomId, query));
    const his = idsOf(await pageThrough(bob, roomId, query));
    expect(his).to.deep.equal(hers);
    expect(new Set(hers).size).to.equal(hers.length);
  },
);
