import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at } from "../harness/json.ts";
import { row, shared } from "../harness/registry.ts";
import { idsOf, publicRoom, syncJoined } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import {
  allState,
  hasMembership,
  presence,
  timeline,
} from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

/** Bob, who is online, joins a room of Alice's; `since` is Alice's token from before. */
const joined = shared(async (server: Server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice);
  await bob.mustPut(path`/presence/${bob.userId}/status`, {
    presence: "online",
  });
  const since = await alice.syncToken();
  await bob.join(roomId);
  return { alice, bob, roomId, since };
});

type Joined = Awaited<ReturnType<typeof joined>>;

const members = (name: string, run: (scene: Joined) => Promise<void>) => {
  row("csapi", "TestMembersLocal", `Parallel/${name}`, async (server) =>
    run(await joined(server)),
  );
};

const shows = (sync: Parameters<typeof presence>[0], user: User) =>
  presence(sync).some((event) => event["sender"] === user.userId);

members(
  "New room members see their own join event",
  async ({ bob, roomId }) => {
    const sync = await syncJoined(bob, roomId);
    const isSeen = hasMembership(allState(sync, roomId), bob.userId, "join");
    expect(isSeen).to.equal(true);
  },
);

members(
  "Existing members see new members' join events",
  async ({ alice, bob, roomId, since }) => {
    await alice.syncUntil(
      (sync) => hasMembership(timeline(sync, roomId), bob.userId, "join"),
      { since },
    );
  },
);

members(
  "Existing members see new members' presence (in initial sync)",
  async ({ alice, bob }) => {
    const sync = await alice.until(
      () => alice.sync(),
      (found) => shows(found, bob),
    );
    expect(shows(sync, bob)).to.equal(true);
  },
);

members(
  "Existing members see new members' presence (in incremental sync)",
  async ({ alice, bob, since }) => {
    await alice.syncUntil((sync) => shows(sync, bob), { since });
  },
);

row("csapi", "TestMembershipOnEvents", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice);
  const before = await alice.sendText(roomId, "prejoin");
  await bob.join(roomId);
  const after = await alice.sendText(roomId, "postjoin");
  const events = timeline(await syncJoined(bob, roomId), roomId);
  expect(idsOf(events)).to.include.members([before, after]);
  const joinedAt = events.findIndex(
    (event) =>
      event["type"] === "m.room.member" && event["state_key"] === bob.userId,
  );
  expect(joinedAt).to.be.above(0);
  for (const [index, event] of events.entries())
    expect(at(event, "unsigned", "membership"), String(index)).to.equal(
      index < joinedAt ? "leave" : "join",
    );
});
