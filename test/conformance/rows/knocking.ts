import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  contentOf,
  membershipOf,
  mustAct,
  nextBatch,
  stateOf,
  syncInvited,
  syncLeft,
  tryJoin,
} from "../harness/rooms.ts";
import { findEvent, hasMembership, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const knocks = ownRows("knocking");

const knockRoom = (user: User, join_rule = "knock") =>
  user.createRoom({
    name: "Knock here",
    initial_state: [stateOf("m.room.join_rules", { join_rule })],
  });

const tryKnock = (user: User, roomId: string, reason?: string) =>
  user.post(path`/knock/${roomId}`, reason === undefined ? {} : { reason });

async function knock(user: User, roomId: string, reason?: string) {
  const answer = await tryKnock(user, roomId, reason);
  expect(answer.status, answer.raw).to.equal(200);
  expect(text(answer.body, "room_id")).to.equal(roomId);
}

const knockOf = (sync: JsonObject, roomId: string) =>
  at(sync, "rooms", "knock", roomId);

const syncKnocked = (user: User, roomId: string, since: string) =>
  user.syncUntil((sync) => knockOf(sync, roomId) !== undefined, { since });

knocks(
  "is told to the room and, with the room's state, to oneself",
  async ({ alice, bob }) => {
    const roomId = await knockRoom(alice);
    const [before, hers] = [await bob.syncToken(), await alice.syncToken()];
    await knock(bob, roomId, "Let me in");
    const sync = await syncKnocked(bob, roomId, before);
    const stripped = list(knockOf(sync, roomId), "knock_state", "events");
    const name = findEvent(stripped, "m.room.name", "");
    expect(name && contentOf(name)).to.deep.equal({ name: "Knock here" });
    expect(findEvent(stripped, "m.room.create", "")).to.be.an("object");
    const own = findEvent(stripped, "m.room.member", bob.userId);
    expect(at(own, "content", "membership")).to.equal("knock");

    const seen = await alice.syncUntil(
      (found) => timeline(found, roomId).length > 0,
      { since: hers },
    );
    const member = findEvent(
      timeline(seen, roomId),
      "m.room.member",
      bob.userId,
    );
    expect(member && contentOf(member)).to.include({
      membership: "knock",
      reason: "Let me in",
    });
  },
);

knocks(
  "is shown by an initial sync, and not told twice",
  async ({ alice, bob }) => {
    const roomId = await knockRoom(alice);
    const before = await bob.syncToken();
    await knock(bob, roomId);
    const since = nextBatch(await syncKnocked(bob, roomId, before));
    expect(knockOf(await bob.sync({ since }), roomId)).to.equal(undefined);
    const fresh = await bob.sync({ timeout: 1 });
    expect(knockOf(fresh, roomId)).to.not.equal(undefined);
  },
);

knocks("is refused where the join rule is another", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  expectError(await tryKnock(bob, roomId), 403, "M_FORBIDDEN");
});

knocks("is no join", async ({ alice, bob }) => {
  const roomId = await knockRoom(alice);
  expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
  await knock(bob, roomId);
  expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
  const target = path`/rooms/${roomId}/messages`;
  expectError(await bob.get(target, { dir: "b" }), 403, "M_FORBIDDEN");
});

knocks("may be repeated", async ({ alice, bob }) => {
  const roomId = await knockRoom(alice);
  await knock(bob, roomId, "first");
  await knock(bob, roomId, "second");
  const member = await alice.getState(roomId, "m.room.member", bob.userId);
  expect(member["membership"]).to.equal("knock");
});

knocks("may be taken back, and made again", async ({ alice, bob }) => {
  const roomId = await knockRoom(alice);
  await knock(bob, roomId);
  const since = await bob.syncToken();
  await bob.leave(roomId);
  const sync = await syncLeft(bob, roomId, since);
  const events = list(sync, "rooms", "leave", roomId, "timeline", "events");
  expect(hasMembership(events, bob.userId, "leave")).to.equal(true);
  await knock(bob, roomId);
  expect(await membershipOf(alice, roomId, bob.userId)).to.equal("knock");
});

knocks("may be refused by a kick, and made again", async ({ alice, bob }) => {
  const roomId = await knockRoom(alice);
  await knock(bob, roomId);
  const since = await bob.syncToken();
  const reason = "I don't think so";
  await mustAct(alice, roomId, "kick", { user_id: bob.userId, reason });
  await syncLeft(bob, roomId, since);
  await knock(bob, roomId);
});

knocks("is answered by an invite", async ({ alice, bob }) => {
  const roomId = await knockRoom(alice);
  await knock(bob, roomId);
  const since = await bob.syncToken();
  await alice.invite(roomId, bob.userId);
  const sync = await syncInvited(bob, roomId, since);
  expect(knockOf(sync, roomId)).to.equal(undefined);
  expectError(await tryKnock(bob, roomId), 403, "M_FORBIDDEN");
  await bob.join(roomId);
  expectError(await tryKnock(bob, roomId), 403, "M_FORBIDDEN");
});

knocks("is refused to the banned", async ({ alice, bob }) => {
  const roomId = await knockRoom(alice);
  await mustAct(alice, roomId, "ban", { user_id: bob.userId });
  expectError(await tryKnock(bob, roomId), 403);
});
