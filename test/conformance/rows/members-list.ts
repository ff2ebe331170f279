import { expect } from "chai";
import { path } from "../harness/client.ts";
import { list, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { membersIn, publicRoom, syncJoined } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

async function listMembers(
  user: User,
  roomId: string,
  query: Record<string, string> = {},
): Promise<string[]> {
  const body = await user.mustGet(path`/rooms/${roomId}/members`, query);
  const events = list(body, "chunk");
  for (const event of events)
    expect(event).to.include({ room_id: roomId, type: "m.room.member" });
  return membersIn(events);
}

const sorted = (...users: User[]) =>
  users.map((user) => user.userId).toSorted();

async function roomOfTwo(server: Server) {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  return { alice, bob, roomId };
}

row("csapi", "TestGetRoomMembers", "", async (server) => {
  const { alice, bob, roomId } = await roomOfTwo(server);
  const found = await listMembers(alice, roomId);
  expect(found).to.deep.equal(sorted(alice, bob));
});

row("csapi", "TestGetRoomMembersAtPoint", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice);
  await alice.sendText(roomId, "Hello world!");
  const sync = await syncJoined(alice, roomId);
  await bob.join(roomId);
  await bob.sendText(roomId, "Hello back");
  const timeline = ["rooms", "join", roomId, "timeline"];
  const before = text(sync, ...timeline, "prev_batch");
  const then = await listMembers(alice, roomId, { at: before });
  expect(then).to.deep.equal(sorted(alice));
  const now = await listMembers(alice, roomId, {
    at: text(await alice.sync(), "next_batch"),
  });
  expect(now).to.deep.equal(sorted(alice, bob));
});

const filtered = (
  name: string,
  query: Record<string, string>,
  who: "alice" | "bob",
) => {
  row("csapi", "TestGetFilteredRoomMembers", name, async (server) => {
    const scene = await roomOfTwo(server);
    await scene.bob.leave(scene.roomId);
    const found = await listMembers(scene.alice, scene.roomId, query);
    expect(found).to.deep.equal([scene[who].userId]);
  });
};

filtered("membership/join", { membership: "join" }, "alice");
filtered("membership/leave", { membership: "leave" }, "bob");
filtered("not membership", { not_membership: "leave" }, "alice");
