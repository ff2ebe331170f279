import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { row } from "../harness/registry.ts";
import {
  act,
  levels,
  membershipOf,
  mustAct,
  nextBatch,
  publicRoom,
  syncInvited,
  syncJoined,
  syncLeft,
} from "../harness/rooms.ts";

row("csapi", "TestCannotKickNonPresentUser", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice);
  const answer = await act(alice, roomId, "kick", { user_id: bob.userId });
  expectError(answer, 403, "M_FORBIDDEN");
});

row("csapi", "TestCannotKickLeftUser", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  await bob.leave(roomId);
  const answer = await act(alice, roomId, "kick", { user_id: bob.userId });
  expectError(answer, 403, "M_FORBIDDEN");
});

row("csapi", "TestNotPresentUserCannotBanOthers", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const charlie = await server.user("charlie");
  const roomId = await publicRoom(alice, { room_version: "11" });
  await bob.join(roomId);
  const powers = levels({ [alice.userId]: 100, [charlie.userId]: 100 });
  await alice.sendState(roomId, "m.room.power_levels", "", powers);
  const answer = await act(charlie, roomId, "ban", { user_id: bob.userId });
  expectError(answer, 403, "M_FORBIDDEN");
  expect(await membershipOf(alice, roomId, bob.userId)).to.equal("join");
});

row("general", "TestUnbanViaInvite", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(bob);
  await alice.join(roomId);
  const since = await alice.syncToken();
  const her = { user_id: alice.userId };
  await mustAct(bob, roomId, "ban", her);
  const banned = await syncLeft(alice, roomId, since);
  await mustAct(bob, roomId, "unban", her);
  await bob.invite(roomId, alice.userId);
  const invited = await syncInvited(alice, roomId, nextBatch(banned));
  await alice.join(roomId);
  await syncJoined(alice, roomId, nextBatch(invited));
});
