import { expect } from "chai";
import {
  at,
  isObject,
  list,
  strings,
  type JsonObject,
} from "../harness/json.ts";
import { ownRows, type Pair } from "../harness/own-rows.ts";
import { row } from "../harness/registry.ts";
import {
  bodies,
  idsOf,
  nextBatch,
  numbered,
  pageThrough,
  publicRoom,
  sendTexts,
  syncJoined,
} from "../harness/rooms.ts";
import { isJoinedIn, presence, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const syncs = ownRows("sync");

/** What the suite checks with another server beside, as far as one server shows it. */
const checks = (name: string, run: (pair: Pair) => Promise<void>) => {
  row("csapi", "TestSync", `parallel/${name}`, async (server) => {
    const [alice, bob] = [await server.user("alice"), await server.user("bob")];
    await run({ server, alice, bob });
  });
};

const FILTER = { room: { timeline: { limit: 10 } } };

function expectFields(sync: JsonObject, roomId: string): void {
  const room = at(sync, "rooms", "join", roomId);
  if (!isObject(room)) throw new Error("the room is not there");
  expect(at(room, "timeline", "events")).to.be.an("array");
  expect(at(room, "timeline", "limited")).to.be.a("boolean");
  for (const section of ["state", "ephemeral", "account_data"])
    if (room[section] !== undefined)
      expect(at(room, section, "events"), section).to.be.an("array");
}

checks("Can sync a joined room", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const sync = await alice.sync({ filter: FILTER });
  expectFields(sync, roomId);
  const later = await alice.sync({ filter: FILTER, since: nextBatch(sync) });
  expect(isJoinedIn(later, roomId)).to.equal(false);
});

checks(
  "Newly joined room is included in an incremental sync",
  async ({ alice }) => {
    const since = await alice.syncToken();
    const roomId = await alice.createRoom();
    const sync = await syncJoined(alice, roomId, since);
    expectFields(sync, roomId);
    const later = await alice.sync({ filter: FILTER, since: nextBatch(sync) });
    expect(isJoinedIn(later, roomId)).to.equal(false);
  },
);

checks("Full state sync includes joined rooms", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const since = await alice.syncToken();
  const query = { filter: FILTER, since, full_state: true };
  expectFields(await alice.sync(query), roomId);
});

checks(
  "Newly joined room has correct timeline in incremental sync",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    const early = await sendTexts(alice, roomId, ...numbered("early", 4));
    const since = await bob.syncToken();
    const late = await sendTexts(alice, roomId, ...numbered("late", 4));
    await bob.join(roomId);
    const filter = {
      room: {
        timeline: { limit: 10, types: ["m.room.message"] },
        state: { types: [] },
      },
    };
    const sync = await bob.sync({ filter, since });
    const shown = idsOf(timeline(sync, roomId));
    const place = ["rooms", "join", roomId, "timeline", "limited"];
    const isLimited = at(sync, ...place) ?? false;
    const all = [...early, ...late];
    expect(shown).to.deep.equal(all.slice(all.length - shown.length));
    // Of what was before the join the client knows nothing: all of it may be shown, and there is more.
    expect(isLimited).to.equal(true);
  },
);

const onlineIn = (sync: JsonObject, user: User) =>
  presence(sync).some((event) => event["sender"] === user.userId);

/** Waits until somebody's presence is told, which is then not told again. */
async function expectPresenceOnce(viewer: User, of: User, since: string) {
  const sync = await viewer.syncUntil((found) => onlineIn(found, of), {
    since,
  });
  for (const event of presence(sync))
    expect(event).to.include.all.keys("type", "sender", "content");
  const later = await viewer.sync({ since: nextBatch(sync) });
  expect(onlineIn(later, of)).to.equal(false);
}

checks(
  "Newly joined room includes presence in incremental sync",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await alice.sync();
    const since = await bob.syncToken();
    await bob.join(roomId);
    await expectPresenceOnce(bob, alice, since);
  },
);

checks(
  "Get presence for newly joined members in incremental sync",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.sync();
    const since = await alice.syncToken();
    await bob.join(roomId);
    await expectPresenceOnce(alice, bob, since);
  },
);

checks(
  "Device list tracking/User is correctly listed when they leave, even when lazy loading is enabled",
  async ({ server, alice }) => {
    const charlie = await server.user("charlie");
    const roomId = await publicRoom(alice);
    const filter = { room: { state: { lazy_load_members: true } } };
    const changed = (sync: JsonObject, section: "changed" | "left") =>
      at(sync, "device_lists", section) !== undefined &&
      strings(sync, "device_lists", section).includes(charlie.userId);
    const before = nextBatch(await alice.sync({ filter }));
    await charlie.join(roomId);
    const joined = await alice.syncUntil((sync) => changed(sync, "changed"), {
      filter,
      since: before,
    });
    const since = nextBatch(joined);
    await charlie.sendText(roomId, "test");
    await charlie.leave(roomId);
    await alice.syncUntil((sync) => changed(sync, "left"), { filter, since });
    const again = await alice.sync({ filter, since });
    expect(changed(again, "left")).to.equal(true);
  },
);

/** Syncs until the last of `total` messages, filling each gap by /messages. */
async function collect(
  reader: User,
  roomId: string,
  since: string,
  total: number,
) {
  const filter = { room: { timeline: { limit: 3 } } };
  const seen: string[] = [];
  let token = since;
  while (seen.length < total) {
    const sync = await reader.sync({ since: token, filter, timeout: 5_000 });
    const room = at(sync, "rooms", "join", roomId, "timeline");
    if (at(room, "limited") === true) {
      const from = String(at(room, "prev_batch"));
      const query = { dir: "b", from, to: token, limit: 50 } as const;
      const hole = await pageThrough(reader, roomId, query);
      seen.push(...idsOf(hole).toReversed());
    }
    seen.push(...idsOf(list(room, "events")));
    token = nextBatch(sync);
  }
  return seen;
}

syncs(
  "no message is skipped or told twice while many are sent",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const since = await bob.syncToken();
    const senders = [alice, bob, alice, bob];
    const [seen, sent] = await Promise.all([
      collect(bob, roomId, since, senders.length * 8),
      Promise.all(
        senders.map((user, n) =>
          sendTexts(user, roomId, ...numbered(`${n}`, 8)),
        ),
      ),
    ]);
    expect(seen).to.have.members(sent.flat());
    for (const own of sent)
      expect(seen.filter((id) => own.includes(id))).to.deep.equal(own);
  },
);

syncs("an unknown since is refused", async ({ alice }) => {
  const answer = await alice.get("/sync", { since: "no token", timeout: 0 });
  expect(answer.status).to.equal(400);
});

syncs("another device starts from the same room", async ({ server, alice }) => {
  const roomId = await publicRoom(alice);
  await alice.sendText(roomId, "for both");
  const phone = await server.login(alice);
  const sync = await phone.sync();
  expect(bodies(timeline(sync, roomId))).to.deep.equal(["for both"]);
});
