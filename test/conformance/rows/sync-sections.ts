import { expect } from "chai";
import { at, list, text } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bodies,
  bringIn,
  idsOf,
  mustAct,
  nextBatch,
  numbered,
  pageThrough,
  publicRoom,
  roomWithHistory,
  sendTexts,
  syncInvited,
  syncJoined,
  syncLeft,
  typesOf,
} from "../harness/rooms.ts";
import {
  allState,
  findEvent,
  isInvitedIn,
  isJoinedIn,
  isLeftIn,
  leftTimeline,
  roomState,
  timeline,
} from "../harness/sync.ts";

const sections = ownRows("sections of sync");

sections(
  "an invite is told once, and again to a new client",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    const before = await bob.syncToken();
    await alice.invite(roomId, bob.userId);
    const since = nextBatch(await syncInvited(bob, roomId, before));
    await alice.sendText(roomId, "you cannot see this");
    expect(isInvitedIn(await bob.sync({ since }), roomId)).to.equal(false);
    expect(isInvitedIn(await bob.sync({ timeout: 1 }), roomId)).to.equal(true);
  },
);

sections(
  "an accepted invite moves to the joined rooms",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    await alice.invite(roomId, bob.userId);
    const since = nextBatch(await syncInvited(bob, roomId));
    await bob.join(roomId);
    const sync = await syncJoined(bob, roomId, since);
    expect(isInvitedIn(sync, roomId)).to.equal(false);
  },
);

sections(
  "a withdrawn invite moves to the left rooms",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    await alice.invite(roomId, bob.userId);
    const since = nextBatch(await syncInvited(bob, roomId));
    await mustAct(alice, roomId, "kick", { user_id: bob.userId });
    const sync = await syncLeft(bob, roomId, since);
    expect(isInvitedIn(sync, roomId)).to.equal(false);
    expect(isInvitedIn(await bob.sync(), roomId)).to.equal(false);
  },
);

sections(
  "a newly joined room brings its whole state",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice, { name: "name", topic: "topic" });
    await sendTexts(alice, roomId, ...numbered("history", 12));
    const before = await bob.syncToken();
    await bob.join(roomId);
    const sync = await syncJoined(bob, roomId, before);
    expect(typesOf(roomState(sync, roomId))).to.include.members([
      ...["m.room.create", "m.room.name", "m.room.topic", "m.room.join_rules"],
      ...["m.room.power_levels", "m.room.history_visibility", "m.room.member"],
    ]);
    const events = timeline(sync, roomId);
    expect(events.at(-1)?.["state_key"]).to.equal(bob.userId);
  },
);

sections(
  "a newly joined room can be paged to its beginning",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    const sent = await sendTexts(alice, roomId, ...numbered("history", 12));
    const before = await bob.syncToken();
    await bob.join(roomId);
    const sync = await syncJoined(bob, roomId, before);
    const place = ["rooms", "join", roomId, "timeline", "prev_batch"];
    const from = text(sync, ...place);
    const earlier = await pageThrough(bob, roomId, { dir: "b", from });
    const all = idsOf([...earlier.toReversed(), ...timeline(sync, roomId)]);
    expect(all.filter((id) => sent.includes(id))).to.deep.equal(sent);
  },
);

sections(
  "a newly joined room hides what was said before, where told to",
  async ({ alice, bob }) => {
    const roomId = await roomWithHistory(alice, "joined");
    await alice.sendText(roomId, "hidden");
    const before = await bob.syncToken();
    await bob.join(roomId);
    await alice.sendText(roomId, "shown");
    const sync = await syncJoined(bob, roomId, before);
    expect(bodies(timeline(sync, roomId))).to.deep.equal(["shown"]);
    expect(typesOf(allState(sync, roomId))).to.include("m.room.create");
    const paged = await pageThrough(bob, roomId, { dir: "b" });
    expect(bodies(paged)).to.deep.equal(["shown"]);
  },
);

sections(
  "a room joined again tells the state that changed meanwhile",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice, { name: "old" });
    await bob.join(roomId);
    await bob.leave(roomId);
    const since = await bob.syncToken();
    await alice.sendState(roomId, "m.room.name", "", { name: "new" });
    await sendTexts(alice, roomId, ...numbered("filler", 12));
    await bob.join(roomId);
    const sync = await syncJoined(bob, roomId, since);
    const name = findEvent(allState(sync, roomId), "m.room.name", "");
    expect(at(name, "content", "name")).to.equal("new");
  },
);

sections(
  "a ban moves the room to the left ones, up to the ban",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const since = await bob.syncToken();
    await alice.sendText(roomId, "seen");
    await mustAct(alice, roomId, "ban", { user_id: bob.userId });
    await alice.sendText(roomId, "unseen");
    const sync = await syncLeft(bob, roomId, since);
    expect(bodies(leftTimeline(sync, roomId))).to.deep.equal(["seen"]);
    const last = leftTimeline(sync, roomId).at(-1);
    expect(at(last, "content", "membership")).to.equal("ban");
  },
);

sections("an unban tells nobody who never looked", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  await mustAct(alice, roomId, "ban", { user_id: bob.userId });
  const since = await bob.syncToken();
  await mustAct(alice, roomId, "unban", { user_id: bob.userId });
  const sync = await bob.sync({ since });
  expect(isJoinedIn(sync, roomId)).to.equal(false);
  await bob.join(roomId);
  await syncJoined(bob, roomId, since);
});

sections("a room that did not change is not told of", async ({ alice }) => {
  const quiet = await alice.createRoom();
  const busy = await alice.createRoom();
  const since = await alice.syncToken();
  await alice.sendText(busy, "hello");
  const sync = await alice.sync({ since });
  expect(isJoinedIn(sync, busy)).to.equal(true);
  expect(isJoinedIn(sync, quiet)).to.equal(false);
  const later = await alice.sync({ since: nextBatch(sync) });
  expect(isJoinedIn(later, busy)).to.equal(false);
});

sections("full_state tells of every joined room", async ({ alice }) => {
  const roomId = await alice.createRoom({ name: "quiet" });
  const since = await alice.syncToken();
  const sync = await alice.sync({ since, full_state: true });
  expect(typesOf(roomState(sync, roomId))).to.include.members([
    ...["m.room.create", "m.room.name", "m.room.member"],
  ]);
  expect(timeline(sync, roomId)).to.deep.equal([]);
});

sections("a long poll ends when something happens", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  await bringIn(alice, roomId, bob);
  const since = await bob.syncToken();
  const started = performance.now();
  const poll = bob.sync({ since, timeout: 20_000 });
  const eventId = await alice.sendText(roomId, "wake up");
  const sync = await poll;
  expect(idsOf(timeline(sync, roomId))).to.deep.equal([eventId]);
  expect(performance.now() - started).to.be.below(10_000);
});

sections(
  "an invite and a leave end a long poll too",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    const before = await bob.syncToken();
    const waiting = bob.sync({ since: before, timeout: 20_000 });
    await alice.invite(roomId, bob.userId);
    const invited = await waiting;
    expect(isInvitedIn(invited, roomId)).to.equal(true);
    const stripped = ["rooms", "invite", roomId, "invite_state", "events"];
    for (const event of list(invited, ...stripped))
      expect(event).to.have.keys("type", "state_key", "sender", "content");
    const since = nextBatch(invited);
    const again = bob.sync({ since, timeout: 20_000 });
    await bob.leave(roomId);
    expect(isLeftIn(await again, roomId)).to.equal(true);
  },
);
