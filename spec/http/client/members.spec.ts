import { expect } from "chai";
import {
  act,
  getMessages,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

const membersOf = async (user: TestUser, roomId: string, query = "") => {
  const target = path`/rooms/${roomId}/members` + query;
  const { chunk } = must<{ chunk: RoomEvent[] }>(await user.get(target));
  return Object.fromEntries(
    chunk.map(({ state_key, content }) => [state_key, content["membership"]]),
  );
};

const syncToken = async (user: TestUser): Promise<string> =>
  must<{ next_batch: string }>(await user.get("/sync")).next_batch;

describe("GET /rooms/{roomId}/members", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  it("lists everybody, or by membership", async () => {
    const roomId = await makePublicRoom(alice);
    const carol = await server.user("carol");
    await act(bob, roomId, "join");
    await act(bob, roomId, "leave");
    await act(alice, roomId, "invite", { user_id: carol.userId });
    const all = {
      [alice.userId]: "join",
      [bob.userId]: "leave",
      [carol.userId]: "invite",
    };
    expect(await membersOf(alice, roomId)).to.deep.equal(all);
    const left = await membersOf(alice, roomId, "?membership=leave");
    expect(left).to.deep.equal({ [bob.userId]: "leave" });
    const others = await membersOf(alice, roomId, "?not_membership=leave");
    expect(others).to.have.all.keys(alice.userId, carol.userId);
    const both = "?membership=leave&not_membership=join";
    const either = await membersOf(alice, roomId, both);
    expect(either).to.have.all.keys(bob.userId, carol.userId);
  });

  it("lists them as they were at a token of sync or of a page", async () => {
    const roomId = await makePublicRoom(alice);
    await say(alice, roomId, "alone");
    const synced = encodeURIComponent(await syncToken(alice));
    await act(bob, roomId, "join");
    const page = await getMessages(alice, roomId, { dir: "b", limit: 1 });
    await act(bob, roomId, "leave");
    const alone = await membersOf(alice, roomId, `?at=${synced}`);
    expect(alone).to.deep.equal({ [alice.userId]: "join" });
    const before = await membersOf(alice, roomId, `?at=${page.end!}`);
    expect(before).to.deep.equal(alone);
    const after = await membersOf(alice, roomId, `?at=${page.start}`);
    expect(after[bob.userId]).to.equal("leave");
  });

  it("refuses what is no membership and no token", async () => {
    const roomId = await makeRoom(alice);
    for (const query of ["?membership=x", "?not_membership=", "?at=x"]) {
      const answer = await alice.get(path`/rooms/${roomId}/members` + query);
      expect(answer.status, answer.text).to.equal(400);
    }
  });

  it("shows who left the members that they left behind, at any token", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await act(bob, roomId, "leave");
    const carol = await server.user("late");
    await act(carol, roomId, "join");
    const token = encodeURIComponent(await syncToken(bob));
    const expected = { [alice.userId]: "join", [bob.userId]: "leave" };
    expect(await membersOf(bob, roomId)).to.deep.equal(expected);
    const now = await membersOf(bob, roomId, `?at=${token}`);
    expect(now).to.deep.equal(expected);
  });
});

describe("GET /rooms/{roomId}/joined_members", () => {
  const server = useServer();

  it("names and pictures the joined, with null for what is unset", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await makePublicRoom(alice);
    must(await bob.delete(path`/profile/${bob.userId}/displayname`));
    await act(bob, roomId, "join");
    await act(await server.user("gone"), roomId, "join");
    await act(alice, roomId, "kick", { user_id: "@gone:test" });
    await setState(
      alice,
      roomId,
      "m.room.member",
      { membership: "join", displayname: "Al", avatar_url: "mxc://test/a" },
      alice.userId,
    );
    const answer = await alice.get(path`/rooms/${roomId}/joined_members`);
    expect(must(answer)).to.deep.equal({
      joined: {
        [alice.userId]: { display_name: "Al", avatar_url: "mxc://test/a" },
        [bob.userId]: { display_name: null, avatar_url: null },
      },
    });
    await act(bob, roomId, "leave");
    const { status } = await bob.get(path`/rooms/${roomId}/joined_members`);
    expect(status).to.equal(403);
  });
});

describe("GET /joined_rooms", () => {
  const server = useServer();

  it("lists the rooms one is in, and no others", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const [one, two] = [await makeRoom(alice), await makePublicRoom(alice)];
    await act(bob, two, "join");
    await act(alice, one, "invite", { user_id: bob.userId });
    const left = await makeRoom(bob);
    await act(bob, left, "leave");
    const rooms = must(await bob.get("/joined_rooms"));
    expect(rooms).to.deep.equal({ joined_rooms: [two] });
    expect(must(await alice.get("/joined_rooms"))["joined_rooms"])
      .to.be.an("array")
      .with.members([one, two]);
  });
});

describe("POST /rooms/{roomId}/forget", () => {
  const server = useServer();

  it("is refused while one is joined or invited", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await makeRoom(alice);
    await act(alice, roomId, "invite", { user_id: bob.userId });
    for (const user of [alice, bob]) {
      const answer = await user.post(path`/rooms/${roomId}/forget`);
      expect(answer.status).to.equal(400);
      expect(answer.body["errcode"]).to.equal("M_UNKNOWN");
    }
    await act(bob, roomId, "leave");
    await act(bob, roomId, "forget");
  });

  it("hides a left room, until one comes back", async () => {
    const alice = await server.user("al");
    const bob = await server.user("bo");
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await act(bob, roomId, "leave");
    const target = path`/rooms/${roomId}/members`;
    expect((await bob.get(target)).status).to.equal(200);
    await act(bob, roomId, "forget");
    expect((await bob.get(target)).status).to.equal(403);
    await act(bob, roomId, "join");
    expect((await bob.get(target)).status).to.equal(200);
    await act(bob, roomId, "leave");
    expect((await bob.get(target)).status).to.equal(200);
  });
});

describe("a room of others", () => {
  const server = useServer();

  it("is answered byte by byte like one that does not exist", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await makeRoom(alice, { name: "secret" });
    const eventId = await say(alice, roomId, "secret");
    const absent = `!${"A".repeat(43)}`;
    const reads: [method: string, target: string][] = [
      ["GET", "/messages?dir=b"],
      ["GET", "/members"],
      ["GET", "/joined_members"],
      ["GET", "/state"],
      ["GET", "/state/m.room.name/"],
      ["GET", path`/state/m.room.member/${bob.userId}?format=event`],
      ["GET", "/aliases"],
      ["GET", path`/event/${eventId}`],
      ["GET", path`/context/${eventId}`],
      ["POST", "/forget"],
    ];
    for (const [method, target] of reads) {
      const ask = async (room: string) => {
        const full = path`/rooms/${room}` + target;
        const body = method === "POST" ? {} : undefined;
        const { status, text } = await bob.ask(method, full, body);
        return `${status} ${text}`;
      };
      const told = await ask(roomId);
      expect(told, target)
        .to.equal(await ask(absent))
        .and.match(/^40[34] /);
    }
    const listing = async (room: string) =>
      (await bob.get(path`/directory/list/room/${room}`)).text;
    expect(await listing(roomId)).to.equal(await listing(absent));
    const publish = async (room: string) =>
      (await bob.put(path`/directory/list/room/${room}`, {})).text;
    expect(await publish(roomId)).to.equal(await publish(absent));
    const name = async (room: string) => {
      const target = path`/directory/room/${"#x:test"}`;
      return (await bob.put(target, { room_id: room })).text;
    };
    expect(await name(roomId)).to.equal(await name(absent));
  });
});
