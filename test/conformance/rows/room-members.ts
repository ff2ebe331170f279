import { expect } from "chai";
import { path } from "../harness/client.ts";
import { row } from "../harness/registry.ts";
import {
  bringIn,
  levels,
  membershipOf,
  mustAct,
  nextBatch,
  publicRoom,
  syncInvited,
  syncJoined,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { hasMembership, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

interface Pair {
  alice: User;
  bob: User;
}

const pairOf = async (server: Server): Promise<Pair> => {
  const [alice, bob] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
  ]);
  return { alice, bob };
};

const members = (name: string, run: (pair: Pair) => Promise<void>) => {
  row("csapi", "TestRoomMembers", `Parallel/${name}`, async (server) =>
    run(await pairOf(server)),
  );
};

/** Bob joins a room of Alice's by this request, which is answered with the room's id. */
async function joinBy(
  { alice, bob }: Pair,
  target: (roomId: string, alias: string) => string,
  content: Record<string, string> = {},
) {
  const name = `join-${alice.localpart}`;
  const roomId = await publicRoom(alice, { room_alias_name: name });
  const request = target(roomId, `#${name}:${alice.serverName}`);
  const body = await bob.mustPost(request, content);
  expect(body["room_id"]).to.equal(roomId);
  await syncJoined(bob, roomId);
  const member = await alice.getState(roomId, "m.room.member", bob.userId);
  expect(member).to.include({ membership: "join", ...content });
}

const byId = (roomId: string) => path`/join/${roomId}`;
const byAlias = (_roomId: string, alias: string) => path`/join/${alias}`;
const byRoom = (roomId: string) => path`/rooms/${roomId}/join`;

members("POST /rooms/:room id/join can join a room", (pair) =>
  joinBy(pair, byRoom),
);
members("POST /join/:room alias can join a room", (pair) =>
  joinBy(pair, byAlias),
);
members("POST /join/:room id can join a room", (pair) => joinBy(pair, byId));
members("POST /join/:room alias can join a room with custom content", (pair) =>
  joinBy(pair, byAlias, { foo: "bar" }),
);
members("POST /join/:room id can join a room with custom content", (pair) =>
  joinBy(pair, byId, { foo: "bar" }),
);

members("POST /rooms/:room id/ban can ban a user", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const since = await alice.syncToken();
  await mustAct(alice, roomId, "ban", {
    user_id: bob.userId,
    reason: "Testing",
  });
  await alice.syncUntil(
    (sync) => hasMembership(timeline(sync, roomId), bob.userId, "ban"),
    { since },
  );
  const member = await alice.getState(roomId, "m.room.member", bob.userId);
  expect(member).to.include({ membership: "ban", reason: "Testing" });
});

members(
  "POST /rooms/:room id/invite can send an invite",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    const since = await alice.syncToken();
    await alice.invite(roomId, bob.userId);
    await alice.syncUntil(
      (sync) => hasMembership(timeline(sync, roomId), bob.userId, "invite"),
      { since },
    );
    expect(await membershipOf(alice, roomId, bob.userId)).to.equal("invite");
  },
);

members(
  "POST /rooms/:room id/leave can leave a room",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    await bringIn(alice, roomId, bob);
    const since = await alice.syncToken();
    await bob.leave(roomId);
    await alice.syncUntil(
      (sync) => hasMembership(timeline(sync, roomId), bob.userId, "leave"),
      { since },
    );
    expect(await membershipOf(alice, roomId, bob.userId)).to.equal("leave");
  },
);

/** The creator leaves a room that Bob then has power in, is invited again, and comes back. */
async function reinviteCreator({ alice, bob }: Pair, users: User[]) {
  const roomId = await alice.createRoom({
    preset: "private_chat",
    room_version: "11",
  });
  await bringIn(alice, roomId, bob);
  const content = levels(
    Object.fromEntries(users.map((user) => [user.userId, 100])),
    { invite: 100 },
  );
  await alice.sendState(roomId, "m.room.power_levels", "", content);
  const since = await alice.syncToken();
  await alice.leave(roomId);
  await bob.invite(roomId, alice.userId);
  const invited = await syncInvited(alice, roomId, since);
  await alice.join(roomId);
  await syncJoined(alice, roomId, nextBatch(invited));
}

members(
  "Test that we can be reinvited to a room we created",
  async ({ alice, bob }) => {
    await reinviteCreator({ alice, bob }, [alice, bob]);
  },
);

row(
  "csapi",
  "TestRoomsInvite",
  "Parallel/Test that we can be reinvited to a room we created",
  async (server) => {
    const pair = await pairOf(server);
    await reinviteCreator(pair, [pair.bob]);
  },
);
