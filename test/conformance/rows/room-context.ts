import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, list, text } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bodies,
  getMessages,
  idsOf,
  numbered,
  publicRoom,
  roomWithHistory,
  sendTexts,
} from "../harness/rooms.ts";
import { findEvent } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const context = ownRows("event context");

const contextOf = (
  user: User,
  roomId: string,
  eventId: string,
  limit: number,
) => user.mustGet(path`/rooms/${roomId}/context/${eventId}`, { limit });

context("has what was before and after, nearest first", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const ids = await sendTexts(alice, roomId, ...numbered("message", 9));
  const body = await contextOf(alice, roomId, ids[4] ?? "", 4);
  expect(at(body, "event", "event_id")).to.equal(ids[4]);
  const before = idsOf(list(body, "events_before"));
  expect(before).to.deep.equal([ids[3], ids[2]]);
  const after = idsOf(list(body, "events_after"));
  expect(after).to.deep.equal([ids[5], ids[6]]);
});

context("leads on by its tokens", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const ids = await sendTexts(alice, roomId, ...numbered("message", 9));
  const body = await contextOf(alice, roomId, ids[4] ?? "", 2);
  const page = async (dir: "b" | "f", from: string) =>
    idsOf(
      list(await getMessages(alice, roomId, { dir, from, limit: 2 }), "chunk"),
    );
  const earlier = await page("b", text(body, "start"));
  expect(earlier).to.deep.equal([ids[2], ids[1]]);
  const later = await page("f", text(body, "end"));
  expect(later).to.deep.equal([ids[6], ids[7]]);
});

context("shows the event alone where the limit is 0", async ({ alice }) => {
  const roomId = await publicRoom(alice);
  const [, middle = ""] = await sendTexts(alice, roomId, "a", "b", "c");
  const body = await contextOf(alice, roomId, middle, 0);
  expect(at(body, "event", "event_id")).to.equal(middle);
  expect(list(body, "events_before")).to.deep.equal([]);
  expect(list(body, "events_after")).to.deep.equal([]);
});

context("has the state of the last event it shows", async ({ alice }) => {
  const roomId = await publicRoom(alice, { topic: "then" });
  const eventId = await alice.sendText(roomId, "when it was so");
  await sendTexts(alice, roomId, ...numbered("after", 2));
  await alice.sendState(roomId, "m.room.topic", "", { topic: "now" });
  const body = await contextOf(alice, roomId, eventId, 2);
  const topic = findEvent(list(body, "state"), "m.room.topic", "");
  expect(at(topic, "content", "topic")).to.equal("then");
});

context("hides what one may not see", async ({ alice, bob }) => {
  const roomId = await roomWithHistory(alice, "joined");
  const hidden = await alice.sendText(roomId, "hidden");
  await bob.join(roomId);
  const shown = await alice.sendText(roomId, "shown");
  const target = path`/rooms/${roomId}/context/${hidden}`;
  expect((await bob.get(target)).status).to.be.oneOf([403, 404]);
  const body = await contextOf(bob, roomId, shown, 10);
  expect(bodies(list(body, "events_before"))).to.deep.equal([]);
});

context("is not for strangers", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  const eventId = await alice.sendText(roomId, "private");
  const target = path`/rooms/${roomId}/context/${eventId}`;
  expect((await bob.get(target)).status).to.be.oneOf([403, 404]);
});
