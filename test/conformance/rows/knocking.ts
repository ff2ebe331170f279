import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, type JsonObject } from "../harness/json.ts";
import {
  knock,
  knockOf,
  knockState,
  syncKnocked,
  tryKnock,
} from "../harness/knocks.ts";
import { row } from "../harness/registry.ts";
import {
  contentOf,
  membershipOf,
  mustAct,
  syncInvited,
  syncLeft,
  tryJoin,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import {
  findEvent,
  hasMembership,
  leftTimeline,
  timeline,
} from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

interface Scene {
  /** Alice's room, to which one has to be invited. */
  roomId: string;
  alice: User;
  bob: User;
  /** Alice changes the join rule to that of the test. */
  openToKnocks: () => Promise<unknown>;
  /** Alice sees a membership of Bob's in the timeline. */
  aliceSees: (membership: string, since: string) => Promise<JsonObject>;
}

async function arrange(
  server: Server,
  room_version: string,
  join_rule: string,
): Promise<Scene> {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await alice.createRoom({
    preset: "private_chat",
    room_version,
  });
  return {
    roomId,
    alice,
    bob,
    openToKnocks: () =>
      alice.sendState(roomId, "m.room.join_rules", "", { join_rule }),
    aliceSees: (membership, since) =>
      alice.syncUntil(
        (sync) => hasMembership(timeline(sync, roomId), bob.userId, membership),
        { since },
      ),
  };
}

/** What the suite checks with another server beside, as far as one server shows it. */
function knocking(test: string, version: string, rule: string): void {
  const knocks = (name: string, run: (scene: Scene) => Promise<void>) => {
    row("general", test, name, async (server) =>
      run(await arrange(server, version, rule)),
    );
  };
  /** The same in a room that takes knocks. */
  const open = (name: string, run: (scene: Scene) => Promise<void>) => {
    knocks(name, async (scene) => {
      await scene.openToKnocks();
      await run(scene);
    });
  };

  knocks(
    "Knocking on a room with a join rule other than 'knock' should fail",
    async ({ bob, roomId }) => {
      const answer = await tryKnock(bob, roomId, "Can I knock anyways?");
      expectError(answer, 403, "M_FORBIDDEN");
    },
  );

  open(
    "Change the join rule of a room from 'invite' to 'knock'",
    async ({ alice, roomId }) => {
      const rules = await alice.getState(roomId, "m.room.join_rules");
      expect(rules["join_rule"]).to.equal(rule);
    },
  );

  open(
    "Attempting to join a room with join rule 'knock' without an invite should fail",
    async ({ bob, roomId }) => {
      expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
      await knock(bob, roomId);
      expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
      const target = path`/rooms/${roomId}/messages`;
      expectError(await bob.get(target, { dir: "b" }), 403, "M_FORBIDDEN");
    },
  );

  open(
    "Knocking on a room with join rule 'knock' should succeed",
    async ({ alice, bob, roomId }) => {
      const since = await bob.syncToken();
      await knock(bob, roomId, "Let me in");
      const events = knockState(await syncKnocked(bob, roomId, since), roomId);
      const own = findEvent(events, "m.room.member", bob.userId);
      expect(at(own, "content", "membership")).to.equal("knock");
      expect(await membershipOf(alice, roomId, bob.userId)).to.equal("knock");
    },
  );

  open(
    "A user that has already knocked is allowed to knock again on the same room",
    async ({ alice, bob, roomId }) => {
      await knock(bob, roomId, "first");
      await knock(bob, roomId, "second");
      const member = await alice.getState(roomId, "m.room.member", bob.userId);
      expect(member).to.include({ membership: "knock", reason: "second" });
    },
  );

  open(
    "Users in the room see a user's membership update when they knock",
    async ({ alice, bob, roomId, aliceSees }) => {
      const since = await alice.syncToken();
      await knock(bob, roomId, "Let me in");
      const events = timeline(await aliceSees("knock", since), roomId);
      const member = findEvent(events, "m.room.member", bob.userId);
      expect(member && contentOf(member)).to.include({ reason: "Let me in" });
      expect(member?.["sender"]).to.equal(bob.userId);
    },
  );

  open(
    "A user that has knocked on a local room can rescind their knock and then knock again",
    async ({ alice, bob, roomId }) => {
      await knock(bob, roomId);
      const since = await bob.syncToken();
      await bob.leave(roomId);
      const events = leftTimeline(await syncLeft(bob, roomId, since), roomId);
      expect(hasMembership(events, bob.userId, "leave")).to.equal(true);
      await knock(bob, roomId);
      expect(await membershipOf(alice, roomId, bob.userId)).to.equal("knock");
    },
  );

  const reject = async ({ alice, bob, roomId, aliceSees }: Scene) => {
    await knock(bob, roomId);
    const [his, hers] = [await bob.syncToken(), await alice.syncToken()];
    const reason = "I don't think so";
    await mustAct(alice, roomId, "kick", { user_id: bob.userId, reason });
    await aliceSees("leave", hers);
    await syncLeft(bob, roomId, his);
  };

  open("A user in the room can reject a knock", async (scene) => {
    await reject(scene);
    await knock(scene.bob, scene.roomId, "Pleeease let me in?");
  });

  open("A user can knock on a room without a reason", async (scene) => {
    await reject(scene);
    const { alice, bob, roomId } = scene;
    await knock(bob, roomId);
    const member = await alice.getState(roomId, "m.room.member", bob.userId);
    expect(member["membership"]).to.equal("knock");
    expect(member).to.not.have.property("reason");
  });

  open(
    "A user in the room can accept a knock",
    async ({ alice, bob, roomId, aliceSees }) => {
      await knock(bob, roomId);
      const [his, hers] = [await bob.syncToken(), await alice.syncToken()];
      await alice.invite(roomId, bob.userId);
      await aliceSees("invite", hers);
      const sync = await syncInvited(bob, roomId, his);
      expect(knockOf(sync, roomId)).to.equal(undefined);
      await bob.join(roomId);
    },
  );

  open(
    "A user cannot knock on a room they are already invited to",
    async ({ alice, bob, roomId }) => {
      await alice.invite(roomId, bob.userId);
      expectError(await tryKnock(bob, roomId), 403, "M_FORBIDDEN");
      expect(await membershipOf(alice, roomId, bob.userId)).to.equal("invite");
    },
  );

  open(
    "A user cannot knock on a room they are already in",
    async ({ alice, bob, roomId }) => {
      await alice.invite(roomId, bob.userId);
      await bob.join(roomId);
      expectError(await tryKnock(bob, roomId), 403, "M_FORBIDDEN");
      expect(await membershipOf(alice, roomId, bob.userId)).to.equal("join");
    },
  );

  open(
    "A user that is banned from a room cannot knock on it",
    async ({ alice, bob, roomId, aliceSees }) => {
      const since = await alice.syncToken();
      await mustAct(alice, roomId, "ban", { user_id: bob.userId });
      await aliceSees("ban", since);
      expectError(await tryKnock(bob, roomId), 403);
      expect(await membershipOf(alice, roomId, bob.userId)).to.equal("ban");
    },
  );
}

knocking("TestKnocking", "7", "knock");
knocking("TestKnockingInMSC3787Room", "10", "knock_restricted");
