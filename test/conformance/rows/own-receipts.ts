import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, isObject, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import { bringIn, publicRoom, sendTexts } from "../harness/rooms.ts";
import { ephemeral, findEvent, roomAccountData } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const receipts = ownRows("receipts");

const read = (user: User, roomId: string, eventId: string, type = "m.read") =>
  user.post(path`/rooms/${roomId}/receipt/${type}/${eventId}`);

/** The event up to which a user has read, as another is told. */
const readUpTo = (sync: JsonObject, roomId: string, reader: User) => {
  const event = findEvent(ephemeral(sync, roomId), "m.receipt");
  const content = at(event, "content");
  return Object.keys(isObject(content) ? content : {}).filter((eventId) =>
    isObject(at(content, eventId, "m.read", reader.userId)),
  );
};

receipts("are told to the others in the room", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const eventId = await alice.sendText(roomId, "hello");
  const since = await alice.syncToken();
  expect((await read(bob, roomId, eventId)).status).to.equal(200);
  const sync = await alice.syncUntil(
    (seen) => readUpTo(seen, roomId, bob).length > 0,
    { since },
  );
  expect(readUpTo(sync, roomId, bob)).to.deep.equal([eventId]);
});

receipts("never go back", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const [first, second] = await sendTexts(alice, roomId, "one", "two");
  await read(bob, roomId, second!);
  await read(bob, roomId, first!);
  expect(readUpTo(await alice.sync(), roomId, bob)).to.deep.equal([second]);
});

receipts("of a kind that nobody knows are refused", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const eventId = await alice.sendText(roomId, "hello");
  expectError(await read(alice, roomId, eventId, "m.unknown"), 400);
});

receipts("are not for strangers to send", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  const eventId = await alice.sendText(roomId, "hello");
  expectError(await read(bob, roomId, eventId), 403, "M_FORBIDDEN");
  await bringIn(alice, roomId, bob);
  expect((await read(bob, roomId, eventId)).status).to.equal(200);
});

receipts("of a thread are for events in it", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const [root, other] = await sendTexts(alice, roomId, "root", "other");
  const inThread = await alice.send(roomId, "m.room.message", {
    ...{ msgtype: "m.text", body: "reply" },
    "m.relates_to": { rel_type: "m.thread", event_id: root },
  });
  const readIn = (eventId: string, thread_id: unknown) =>
    alice.post(path`/rooms/${roomId}/receipt/m.read/${eventId}`, { thread_id });
  expect((await readIn(inThread, root)).status).to.equal(200);
  expect((await readIn(other!, "main")).status).to.equal(200);
  for (const [eventId, thread] of [
    [other!, root],
    [inThread, ""],
    [inThread, 7],
  ] as const)
    expectError(await readIn(eventId, thread), 400);
});

receipts("leave the read marker where it is", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const [first, second] = await sendTexts(alice, roomId, "one", "two");
  await read(alice, roomId, first!, "m.fully_read");
  await read(alice, roomId, second!);
  const sync = await alice.sync();
  const marker = findEvent(roomAccountData(sync, roomId), "m.fully_read");
  expect(at(marker, "content", "event_id")).to.equal(first);
  expect(readUpTo(sync, roomId, alice)).to.deep.equal([second]);
});
