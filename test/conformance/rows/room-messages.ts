import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, list, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  bodies,
  getMessages,
  publicRoom,
  syncJoined,
} from "../harness/rooms.ts";
import { hasEvent, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const LAZY = JSON.stringify({ lazy_load_members: true });

row("csapi", "TestSendAndFetchMessage", "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const since = await alice.syncToken();
  const eventId = await alice.sendText(roomId, "fetch me");
  await alice.syncUntil((sync) => hasEvent(timeline(sync, roomId), eventId), {
    since,
  });
  const body = await getMessages(alice, roomId, { dir: "f", from: since });
  expect(bodies(list(body, "chunk"))).to.deep.equal(["fetch me"]);
});

row("csapi", "TestFetchMessagesFromNonExistentRoom", "", async (server) => {
  const alice = await server.user("alice");
  const target = path`/rooms/${`!none:${alice.serverName}`}/messages`;
  expectError(await alice.get(target, { dir: "b" }), 403, "M_FORBIDDEN");
});

const expectOnlyMember = (body: unknown, user: User) => {
  const [member, ...others] = list(body, "state");
  expect(others).to.deep.equal([]);
  expect(member).to.include({ type: "m.room.member", state_key: user.userId });
  expect(at(member, "content", "membership")).to.equal("join");
};

row("csapi", "TestRoomMessagesLazyLoading", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const charlie = await server.user("charlie");
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  await charlie.join(roomId);
  const last = await bob.sendText(roomId, "from Bob");
  const before = await alice.syncUntil((sync) =>
    hasEvent(timeline(sync, roomId), last),
  );
  const from = text(before, "next_batch");
  const eventId = await charlie.sendText(roomId, "from Charlie");
  const after = await alice.syncUntil(
    (sync) => hasEvent(timeline(sync, roomId), eventId),
    { since: from },
  );
  const to = text(after, "next_batch");
  const query = { dir: "f", filter: LAZY, from, to } as const;
  expectOnlyMember(await getMessages(alice, roomId, query), charlie);
});

row("csapi", "TestRoomMessagesLazyLoadingLocalUser", "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom();
  const from = text(await syncJoined(alice, roomId), "next_batch");
  await alice.sendText(roomId, "test");
  const query = { dir: "b", filter: LAZY, from } as const;
  expectOnlyMember(await getMessages(alice, roomId, query), alice);
});
