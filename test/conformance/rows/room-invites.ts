import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { list } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  act,
  bringIn,
  contentOf,
  nextBatch,
  syncInvited,
  syncJoined,
  syncLeft,
  tryJoin,
} from "../harness/rooms.ts";
import {
  findEvent,
  hasMembership,
  isInvitedIn,
  timeline,
} from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

interface Scene {
  alice: User;
  bob: User;
  /** Alice's invite-only room. */
  roomId: string;
}

const invites = (name: string, run: (scene: Scene) => Promise<void>) => {
  row("csapi", "TestRoomsInvite", `Parallel/${name}`, async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await alice.createRoom({
      preset: "private_chat",
      name: "Invites room",
    });
    await run({ alice, bob, roomId });
  });
};

invites(
  "Can invite users to invite-only rooms",
  async ({ alice, bob, roomId }) => {
    await alice.invite(roomId, bob.userId);
    const invited = await syncInvited(bob, roomId);
    await bob.join(roomId);
    await syncJoined(bob, roomId, nextBatch(invited));
    await alice.syncUntil((sync) =>
      hasMembership(timeline(sync, roomId), bob.userId, "join"),
    );
  },
);

invites("Uninvited users cannot join the room", async ({ bob, roomId }) => {
  expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
});

invites("Invited user can reject invite", async ({ alice, bob, roomId }) => {
  await alice.invite(roomId, bob.userId);
  await syncInvited(bob, roomId);
  const since = await alice.syncToken();
  await bob.leave(roomId);
  await alice.syncUntil(
    (sync) => hasMembership(timeline(sync, roomId), bob.userId, "leave"),
    { since },
  );
});

invites(
  "Invited user can reject invite for empty room",
  async ({ alice, bob, roomId }) => {
    await alice.invite(roomId, bob.userId);
    const invited = await syncInvited(bob, roomId);
    await alice.leave(roomId);
    await bob.leave(roomId);
    const left = await syncLeft(bob, roomId, nextBatch(invited));
    const later = await bob.sync({ since: nextBatch(left) });
    expect(isInvitedIn(later, roomId)).to.equal(false);
    expect(isInvitedIn(await bob.sync(), roomId)).to.equal(false);
  },
);

invites(
  "Users cannot invite themselves to a room",
  async ({ alice, roomId }) => {
    const answer = await act(alice, roomId, "invite", {
      user_id: alice.userId,
    });
    expectError(answer, 403, "M_FORBIDDEN");
  },
);

invites(
  "Users cannot invite a user that is already in the room",
  async ({ alice, bob, roomId }) => {
    await bringIn(alice, roomId, bob);
    const answer = await act(alice, roomId, "invite", { user_id: bob.userId });
    expectError(answer, 403, "M_FORBIDDEN");
  },
);

invites(
  "Invited user can see room metadata",
  async ({ alice, bob, roomId }) => {
    await alice.invite(roomId, bob.userId);
    const sync = await syncInvited(bob, roomId);
    const stripped = list(
      sync,
      ...["rooms", "invite", roomId, "invite_state", "events"],
    );
    for (const type of ["m.room.join_rules", "m.room.name", "m.room.create"]) {
      const shown = findEvent(stripped, type, "");
      expect(shown && contentOf(shown), type).to.deep.equal(
        await alice.getState(roomId, type),
      );
    }
    const invite = findEvent(stripped, "m.room.member", bob.userId);
    expect(invite?.["sender"]).to.equal(alice.userId);
  },
);
