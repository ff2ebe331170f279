import { expect } from "chai";
import { at, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { bringIn, membersIn, publicRoom } from "../harness/rooms.ts";
import { stateAfterOf, syncStateAfter } from "../harness/state-after.ts";
import { timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const LAZY = {
  room: { timeline: { limit: 20 }, state: { lazy_load_members: true } },
};

const stateAfter = (
  kind: "private" | "public",
  arrange: (alice: User, bob: User) => Promise<string>,
) => {
  const name = `parallel/Initial sync with lazy-loading room members -> ${kind} room \`state after\` includes all members from timeline`;
  row("msc4222", "TestSync", name, async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await arrange(alice, bob);
    const sync = await syncStateAfter(alice, { filter: LAZY });
    const senders = timeline(sync, roomId).map((event) =>
      text(event, "sender"),
    );
    expect(senders).to.include.members([alice.userId, bob.userId]);
    const room = at(sync, "rooms", "join", roomId);
    expect(room).to.not.have.property("state");
    const members = membersIn(stateAfterOf(sync, roomId));
    expect(members).to.include.members([alice.userId, bob.userId]);
  });
};

stateAfter("public", async (alice, bob) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  return roomId;
});

stateAfter("private", async (alice, bob) => {
  const roomId = await alice.createRoom({ preset: "private_chat" });
  await bringIn(alice, roomId, bob);
  return roomId;
});
