import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import { ephemeral, findEvent, hasEvent, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const setTyping = (user: User, roomId: string, typing: boolean) =>
  user.mustPut(path`/rooms/${roomId}/typing/${user.userId}`, {
    typing,
    ...(typing ? { timeout: 10_000 } : {}),
  });

const typingIn = (sync: JsonObject, roomId: string): JsonObject | undefined =>
  findEvent(ephemeral(sync, roomId), "m.typing");

const whoTypes = (event: JsonObject | undefined): string =>
  JSON.stringify(at(event, "content", "user_ids"));

/** Alice and Bob in a room, and where Bob's sync stands before she types. */
async function inRoom(server: Server) {
  const [alice, bob] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
  ]);
  const roomId = await alice.createRoom({ preset: "public_chat" });
  await bob.join(roomId);
  const since = await bob.syncToken();
  await setTyping(alice, roomId, true);
  const typing = await bob.syncUntil(
    (sync) =>
      whoTypes(typingIn(sync, roomId)) === JSON.stringify([alice.userId]),
    { since },
  );
  return { alice, bob, roomId, typing };
}

row(
  "csapi",
  "TestTyping",
  "Typing notification sent to local room members",
  async (server) => {
    const { alice, roomId, typing } = await inRoom(server);
    const event = typingIn(typing, roomId);
    expect(event?.["content"]).to.deep.equal({ user_ids: [alice.userId] });
  },
);

row(
  "csapi",
  "TestTyping",
  "Typing can be explicitly stopped",
  async (server) => {
    const { alice, bob, roomId, typing } = await inRoom(server);
    await setTyping(alice, roomId, false);
    await bob.syncUntil((sync) => whoTypes(typingIn(sync, roomId)) === "[]", {
      since: String(typing["next_batch"]),
    });
  },
);

row(
  "csapi",
  "TestTyping",
  "Typing events DO NOT include a `room id` field",
  async (server) => {
    const { roomId, typing } = await inRoom(server);
    const event = typingIn(typing, roomId) ?? {};
    expect(event).to.have.property("type", "m.typing");
    expect(event).to.not.have.property("room_id");
  },
);

row("csapi", "TestLeakyTyping", "", async (server) => {
  const charlie = await server.user("charlie");
  const before = await charlie.syncToken();
  const { alice, roomId } = await inRoom(server);
  // What is said later, in a room of theirs, comes after what could have leaked.
  const theirs = await alice.createRoom({ preset: "public_chat" });
  await charlie.join(theirs);
  const eventId = await alice.sendText(theirs, "afterwards");
  const seen: JsonObject[] = [];
  await charlie.syncUntil(
    (sync) => {
      seen.push(sync);
      return hasEvent(timeline(sync, theirs), eventId);
    },
    { since: before },
  );
  expect(JSON.stringify(seen)).to.not.include(roomId);
});
