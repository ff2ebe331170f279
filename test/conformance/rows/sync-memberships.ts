import { expect } from "chai";
import { at, list } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  nextBatch,
  publicRoom,
  syncInvited,
  syncJoined,
  syncLeft,
} from "../harness/rooms.ts";
import {
  findEvent,
  isInvitedIn,
  isJoinedIn,
  isLeftIn,
} from "../harness/sync.ts";

row("csapi", "TestCumulativeJoinLeaveJoinSync", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(bob);
  const since = await alice.syncToken();
  await alice.join(roomId);
  const joined = await syncJoined(alice, roomId);
  await alice.leave(roomId);
  const left = await syncLeft(alice, roomId, nextBatch(joined));
  await alice.join(roomId);
  await syncJoined(alice, roomId, nextBatch(left));
  const sync = await alice.sync({ since });
  expect(isJoinedIn(sync, roomId)).to.equal(true);
  expect(isLeftIn(sync, roomId)).to.equal(false);
});

row(
  "csapi",
  "TestTentativeEventualJoiningAfterRejecting",
  "",
  async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await publicRoom(alice);
    await alice.invite(roomId, bob.userId);
    const invited = await syncInvited(bob, roomId);
    await bob.leave(roomId);
    const left = await bob.syncUntil((sync) => isLeftIn(sync, roomId), {
      since: nextBatch(invited),
      full_state: true,
    });
    await bob.join(roomId);
    const joined = await bob.syncUntil((sync) => isJoinedIn(sync, roomId), {
      since: nextBatch(left),
      full_state: true,
    });
    expect(isLeftIn(joined, roomId)).to.equal(false);
    expect(isInvitedIn(joined, roomId)).to.equal(false);
  },
);

row("csapi", "TestRoomSummary", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const summaryOf = (sync: unknown, roomId: string) => {
    const summary = at(sync, "rooms", "join", roomId, "summary");
    return {
      joined: at(summary, "m.joined_member_count"),
      invited: at(summary, "m.invited_member_count"),
    };
  };
  const since = await alice.syncToken();
  const roomId = await publicRoom(alice, { invite: [bob.userId] });
  const created = await syncJoined(alice, roomId, since);
  expect(summaryOf(created, roomId)).to.deep.equal({ joined: 1, invited: 1 });
  const invited = await syncInvited(bob, roomId);
  await bob.join(roomId);
  const both = { joined: 2, invited: 0 };
  const mine = await syncJoined(bob, roomId, nextBatch(invited));
  expect(summaryOf(mine, roomId)).to.deep.equal(both);
  const hers = await syncJoined(alice, roomId, nextBatch(created));
  expect(summaryOf(hers, roomId)).to.deep.equal(both);
});

row("general", "TestIsDirectFlagLocal", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await alice.createRoom({
    invite: [bob.userId],
    is_direct: true,
  });
  const sync = await syncInvited(bob, roomId);
  const stripped = list(
    sync,
    ...["rooms", "invite", roomId, "invite_state", "events"],
  );
  const invite = findEvent(stripped, "m.room.member", bob.userId);
  expect(at(invite, "content", "membership")).to.equal("invite");
  expect(at(invite, "content", "is_direct")).to.equal(true);
});
