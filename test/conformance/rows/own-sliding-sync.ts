import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bodies,
  bringIn,
  idsOf,
  numbered,
  publicRoom,
  sendTexts,
  stateOf,
} from "../harness/rooms.ts";
import {
  countIn,
  oneList,
  placesIn,
  roomIn,
  roomsIn,
  Sliding,
  SLIDING_SYNC,
  slidingTimeline,
  trySlide,
} from "../harness/sliding.ts";
import type { User } from "../harness/user.ts";

const slides = ownRows("sliding sync");

const ask = (user: User, body: JsonObject): Promise<JsonObject> =>
  new Sliding(user).next(body);

async function namedRooms(user: User, ...names: string[]): Promise<string[]> {
  const rooms: string[] = [];
  for (const name of names) rooms.push(await user.createRoom({ name }));
  return rooms;
}

slides(
  "a list shows the rooms with the newest messages, and counts all",
  async ({ alice }) => {
    const [a, , c] = await namedRooms(alice, "a", "b", "c");
    await alice.sendText(a!, "news");
    const answer = await ask(alice, oneList({}, [0, 1]));
    expect(countIn(answer)).to.equal(3);
    expect(roomsIn(answer)).to.have.members([a, c]);
    expect(roomIn(answer, a!)).to.include({ name: "a", initial: true });
    const stamp = (roomId: string) => roomIn(answer, roomId)["bump_stamp"];
    expect(stamp(a!)).to.be.above(Number(stamp(c!)));
  },
);

slides("a range that grows brings the other rooms", async ({ alice }) => {
  const all = await namedRooms(alice, "a", "b", "c", "d");
  const connection = new Sliding(alice);
  const first = await connection.next(oneList({}, [0, 1]));
  const second = await connection.next(oneList({}, [0, 9]));
  expect([...roomsIn(first), ...roomsIn(second)]).to.have.members(all);
  expect(roomsIn(await connection.next(oneList({}, [0, 9])))).to.be.empty;
});

slides("a message wakes the poll and comes alone", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  const quiet = await alice.createRoom();
  await bob.join(roomId);
  const connection = new Sliding(alice);
  await connection.next(oneList());
  const [answer, eventId] = await Promise.all([
    connection.until(oneList(), (found) => roomsIn(found).length > 0),
    bob.sendText(roomId, "hello"),
  ]);
  expect(roomsIn(answer)).to.deep.equal([roomId]).and.not.include(quiet);
  expect(idsOf(slidingTimeline(answer, roomId))).to.deep.equal([eventId]);
  expect(roomIn(answer, roomId)).to.include({ limited: false, num_live: 1 });
  expect(roomIn(answer, roomId)).to.not.have.property("initial");
});

slides(
  "a position that is asked again brings the same news",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const connection = new Sliding(alice);
    await connection.next(oneList());
    const { pos } = connection;
    const eventId = await bob.sendText(roomId, "hello");
    const seen = (answer: JsonObject) => idsOf(slidingTimeline(answer, roomId));
    const has = (answer: JsonObject) => seen(answer).includes(eventId);
    await connection.until(oneList(), has);
    connection.pos = pos;
    expect(seen(await connection.until(oneList(), has))).to.include(eventId);
  },
);

slides("an unknown position is refused", async ({ alice }) => {
  for (const pos of ["12345/s67890", "no position"]) {
    const answer = await trySlide(alice, oneList(), { pos });
    expect(answer.status, pos).to.equal(400);
  }
});

slides("required_state brings what is asked for", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice, { topic: "topic" });
  await bob.join(roomId);
  const places = async (...required_state: [string, string][]) =>
    placesIn(await ask(alice, oneList({ required_state })), roomId);
  const [create, topic] = ["m.room.create", "m.room.topic"] as const;
  expect(await places([create, ""], [topic, ""])).to.deep.equal([
    `${create}|`,
    `${topic}|`,
  ]);
  expect(await places(["m.room.member", "$ME"])).to.deep.equal([
    `m.room.member|${alice.userId}`,
  ]);
  expect(await places(["m.room.member", "*"])).to.have.members(
    [alice, bob].map(({ userId }) => `m.room.member|${userId}`),
  );
  expect(await places(["*", "*"])).to.include.members([
    ...[`${create}|`, `${topic}|`, "m.room.power_levels|"],
    ...["m.room.join_rules|", `m.room.member|${bob.userId}`],
  ]);
});

slides(
  "$LAZY brings the members who spoke, and later ones when they do",
  async ({ server, alice, bob }) => {
    const roomId = await publicRoom(alice, { name: "crowd" });
    const quiet = await server.user("quiet");
    for (const user of [quiet, bob]) await user.join(roomId);
    await bob.sendText(roomId, "hello");
    const body = oneList({
      timeline_limit: 1,
      required_state: [["m.room.member", "$LAZY"]],
    });
    const connection = new Sliding(alice);
    const first = placesIn(await connection.next(body), roomId);
    expect(first).to.include(`m.room.member|${bob.userId}`);
    expect(first).to.not.include(`m.room.member|${quiet.userId}`);
    await quiet.sendText(roomId, "not so quiet");
    const later = await connection.until(body, (answer) =>
      roomsIn(answer).includes(roomId),
    );
    expect(placesIn(later, roomId)).to.deep.equal([
      `m.room.member|${quiet.userId}`,
    ]);
  },
);

slides("state that changes comes as required state", async ({ alice }) => {
  const roomId = await publicRoom(alice, { topic: "old" });
  const body = oneList({ required_state: [["m.room.topic", ""]] });
  const connection = new Sliding(alice);
  await connection.next(body);
  await alice.sendState(roomId, "m.room.topic", "", { topic: "new" });
  const answer = await connection.until(body, (found) =>
    roomsIn(found).includes(roomId),
  );
  const [topic] = list(answer, "rooms", roomId, "required_state");
  expect(at(topic, "content", "topic")).to.equal("new");
});

slides(
  "timeline_limit cuts, and brings more where it grows",
  async ({ alice }) => {
    const roomId = await alice.createRoom();
    const ids = await sendTexts(alice, roomId, ...numbered("message", 6));
    const connection = new Sliding(alice);
    const first = await connection.next(oneList({ timeline_limit: 2 }));
    expect(idsOf(slidingTimeline(first, roomId))).to.deep.equal(ids.slice(-2));
    expect(roomIn(first, roomId)["limited"]).to.equal(true);
    const second = await connection.next(oneList({ timeline_limit: 5 }));
    expect(idsOf(slidingTimeline(second, roomId))).to.deep.equal(ids.slice(-5));
  },
);

slides("prev_batch pages on from the timeline", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const ids = await sendTexts(alice, roomId, ...numbered("message", 4));
  const answer = await ask(alice, oneList({ timeline_limit: 2 }));
  const page = await alice.mustGet(path`/rooms/${roomId}/messages`, {
    dir: "b",
    from: text(answer, "rooms", roomId, "prev_batch"),
    limit: 2,
  });
  expect(idsOf(list(page, "chunk"))).to.deep.equal([ids[1], ids[0]]);
});

slides("a gap shows the newest events and says so", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const body = oneList({ timeline_limit: 3 });
  const connection = new Sliding(alice);
  await connection.next(body);
  const ids = await sendTexts(bob, roomId, ...numbered("message", 8));
  const answer = await connection.until(body, (found) =>
    idsOf(slidingTimeline(found, roomId)).includes(ids.at(-1)!),
  );
  expect(idsOf(slidingTimeline(answer, roomId))).to.deep.equal(ids.slice(-3));
  expect(roomIn(answer, roomId)["limited"]).to.equal(true);
});

slides(
  "a subscription shows a room outside of the lists",
  async ({ alice }) => {
    const [old, newer] = await namedRooms(alice, "old", "newer");
    const window = oneList({}, [0, 0]);
    expect(roomsIn(await ask(alice, window))).to.deep.equal([newer]);
    const answer = await ask(alice, {
      ...window,
      room_subscriptions: {
        [old!]: { timeline_limit: 1, required_state: [["m.room.name", ""]] },
      },
    });
    expect(roomsIn(answer)).to.have.members([old, newer]);
    expect(placesIn(answer, old!)).to.deep.equal(["m.room.name|"]);
    expect(slidingTimeline(answer, old!)).to.have.length(1);
  },
);

slides("filters choose the rooms of a list", async ({ alice, bob }) => {
  const plain = await alice.createRoom({ name: "plain" });
  const direct = await alice.createRoom({ name: "direct" });
  const secret = await alice.createRoom({
    name: "secret",
    initial_state: [
      stateOf("m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" }),
    ],
  });
  const space = await alice.createRoom({
    name: "space",
    creation_content: { type: "m.space" },
  });
  const invited = await bob.createRoom({ invite: [alice.userId] });
  const data = path`/user/${alice.userId}`;
  await alice.mustPut(`${data}/account_data/m.direct`, {
    [bob.userId]: [direct],
  });
  await alice.mustPut(`${data}${path`/rooms/${plain}/tags/m.favourite`}`, {});
  const joined = [plain, direct, secret, space];
  for (const [filters, expected] of [
    [{ is_dm: true }, [direct]],
    [{ is_dm: false, is_invite: false }, [plain, secret, space]],
    [{ is_encrypted: true }, [secret]],
    [{ is_invite: true }, [invited]],
    [{ is_invite: false }, joined],
    [{ room_types: ["m.space"] }, [space]],
    [
      { not_room_types: ["m.space"], is_invite: false },
      [plain, direct, secret],
    ],
    [{ tags: ["m.favourite"] }, [plain]],
    [{ not_tags: ["m.favourite"], is_invite: false }, [direct, secret, space]],
  ] as const) {
    const answer = await ask(alice, oneList({ filters }));
    const what = JSON.stringify(filters);
    expect(roomsIn(answer), what).to.have.members([...expected]);
    expect(countIn(answer), what).to.equal(expected.length);
  }
});

slides("spaces choose their children", async ({ alice }) => {
  const [child] = await namedRooms(alice, "child", "other");
  const space = await alice.createRoom({
    creation_content: { type: "m.space" },
  });
  const via = [alice.serverName];
  await alice.sendState(space, "m.space.child", child!, { via });
  const answer = await ask(alice, oneList({ filters: { spaces: [space] } }));
  expect(roomsIn(answer)).to.deep.equal([child]);
});

slides("an invite shows the stripped state alone", async ({ alice, bob }) => {
  const connection = new Sliding(alice);
  await connection.next(oneList());
  const roomId = await bob.createRoom({ name: "Come in" });
  await bob.sendText(roomId, "not for her yet");
  await bob.invite(roomId, alice.userId);
  const answer = await connection.until(oneList(), (found) =>
    roomsIn(found).includes(roomId),
  );
  const events = list(answer, "rooms", roomId, "invite_state");
  const types = events.map((event) => event["type"]);
  expect(types).to.include.members(["m.room.create", "m.room.member"]);
  expect(slidingTimeline(answer, roomId)).to.deep.equal([]);
  await alice.join(roomId);
  const joined = await connection.until(oneList(), (found) =>
    slidingTimeline(found, roomId).some(
      (event) => event["state_key"] === alice.userId,
    ),
  );
  expect(roomIn(joined, roomId)["initial"]).to.equal(true);
});

slides("a left room is told of, and gone afterwards", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const other = await alice.createRoom();
  const connection = new Sliding(alice);
  await connection.next(oneList());
  await alice.leave(roomId);
  const answer = await connection.until(oneList(), (found) =>
    roomsIn(found).includes(roomId),
  );
  const leave = slidingTimeline(answer, roomId).at(-1);
  expect(at(leave, "content", "membership")).to.equal("leave");
  expect(roomsIn(await ask(alice, oneList()))).to.deep.equal([other]);
});

slides(
  "a room without a name brings heroes and counts",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom();
    await bringIn(alice, roomId, bob);
    const room = roomIn(await ask(alice, oneList()), roomId);
    const heroes = list(room, "heroes").map((hero) => hero["user_id"]);
    expect(heroes).to.deep.equal([bob.userId]);
    expect(room).to.include({ joined_count: 2, invited_count: 0 });
  },
);

slides("unread messages are counted", async ({ server, alice, bob }) => {
  const roomId = await publicRoom(alice);
  for (const user of [bob, await server.user("carol")]) await user.join(roomId);
  const eventId = await bob.sendText(roomId, "hello");
  await bob.send(roomId, "m.room.message", {
    ...{ msgtype: "m.text", body: "hello you" },
    "m.mentions": { user_ids: [alice.userId] },
  });
  const counts = async () => {
    const room = roomIn(await ask(alice, oneList()), roomId);
    return [room["notification_count"], room["highlight_count"]];
  };
  expect(await counts()).to.deep.equal([2, 1]);
  await alice.mustPost(path`/rooms/${roomId}/receipt/m.read/${eventId}`);
  expect(await counts()).to.deep.equal([1, 1]);
});

slides("the ignored are not heard", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  await alice.mustPut(
    path`/user/${alice.userId}/account_data/m.ignored_user_list`,
    { ignored_users: { [bob.userId]: {} } },
  );
  await bob.sendText(roomId, "unheard");
  await alice.sendText(roomId, "heard");
  const answer = await ask(alice, oneList());
  expect(bodies(slidingTimeline(answer, roomId))).to.deep.equal(["heard"]);
});

slides("a token is wanted", async ({ server }) => {
  const answer = await server.post(SLIDING_SYNC, oneList());
  expectError(answer, 401, "M_MISSING_TOKEN");
});
