import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { at, list, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  act,
  contentOf,
  membershipOf,
  mustAct,
  nextBatch,
  publicRoom,
  syncInvited,
  syncJoined,
  syncLeft,
} from "../harness/rooms.ts";
import { allState, findEvent, isInvitedIn } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const invites = ownRows("invites");

const ownInvite = (sync: JsonObject, roomId: string, user: User) =>
  findEvent(
    list(sync, "rooms", "invite", roomId, "invite_state", "events"),
    "m.room.member",
    user.userId,
  );

invites("say why one is invited", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  const reason = "we miss you";
  await mustAct(alice, roomId, "invite", { user_id: bob.userId, reason });
  const event = ownInvite(await syncInvited(bob, roomId), roomId, bob);
  expect(event && contentOf(event)).to.include({
    membership: "invite",
    reason,
  });
});

invites(
  "of a direct chat are remembered by the join that follows",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom({
      invite: [bob.userId],
      is_direct: true,
    });
    const invited = await syncInvited(bob, roomId);
    await bob.join(roomId);
    const sync = await syncJoined(bob, roomId, nextBatch(invited));
    const join = findEvent(allState(sync, roomId), "m.room.member", bob.userId);
    expect(at(join, "content", "membership")).to.equal("join");
    const before = at(join, "unsigned", "prev_content");
    expect(before).to.include({ membership: "invite", is_direct: true });
  },
);

invites(
  "are taken back by whoever may, and nobody else",
  async ({ server, alice, bob }) => {
    const roomId = await publicRoom(alice);
    const carol = await server.user("carol");
    await carol.join(roomId);
    const before = await bob.syncToken();
    await alice.invite(roomId, bob.userId);
    const invited = await syncInvited(bob, roomId, before);
    const him = { user_id: bob.userId };
    expectError(await act(carol, roomId, "kick", him), 403, "M_FORBIDDEN");
    expect(await membershipOf(alice, roomId, bob.userId)).to.equal("invite");
    await mustAct(alice, roomId, "kick", him);
    const left = await syncLeft(bob, roomId, nextBatch(invited));
    expect(isInvitedIn(left, roomId)).to.equal(false);
  },
);

invites("may be refused again and again", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  for (let time = 0; time < 3; time++) {
    const since = await bob.syncToken();
    await alice.invite(roomId, bob.userId);
    const invited = await syncInvited(bob, roomId, since);
    await bob.leave(roomId);
    await syncLeft(bob, roomId, nextBatch(invited));
  }
  expect(await membershipOf(alice, roomId, bob.userId)).to.equal("leave");
});

invites("repeated to who is invited change nothing", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  await alice.invite(roomId, bob.userId);
  const again = await act(alice, roomId, "invite", { user_id: bob.userId });
  expect(again.status, again.raw).to.equal(200);
  expect(await membershipOf(alice, roomId, bob.userId)).to.equal("invite");
});

invites("of somebody who is no user id are refused", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const answer = await act(alice, roomId, "invite", { user_id: "nobody" });
  expectError(answer, 400);
});
