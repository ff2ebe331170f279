import { readAudit } from "../../support/audit.ts";
import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  setState,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Answer, TestUser } from "../../support/server.ts";

const fault = ({ status, body }: Answer) => [status, body["errcode"]];
const aliasPath = (alias: string) => path`/directory/room/${alias}`;

describe("room aliases", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const give = (user: TestUser, alias: string, room_id: string) =>
    user.put(aliasPath(alias), { room_id });

  it("point to their room, for anyone who asks", async () => {
    const roomId = await makeRoom(alice);
    for (const alias of ["#one:test", "#a/b%2F?c#d:test", "#老虎🤨:test"]) {
      must(await give(alice, alias, roomId));
      expect(must(await server.get(aliasPath(alias)))).to.deep.equal({
        room_id: roomId,
        servers: ["test"],
      });
    }
    const { body } = await alice.get(path`/rooms/${roomId}/aliases`);
    expect(body["aliases"]).to.have.members([
      "#one:test",
      "#a/b%2F?c#d:test",
      "#老虎🤨:test",
    ]);
  });

  it("are not found where nobody made them, or on servers out of reach", async () => {
    for (const alias of ["#nothing:test", "#one:elsewhere.example"]) {
      const answer = await server.get(aliasPath(alias));
      expect(fault(answer)).to.deep.equal([404, "M_NOT_FOUND"]);
    }
  });

  it("must look like aliases of this server", async () => {
    const roomId = await makeRoom(alice);
    for (const alias of [
      "nothing",
      "#nocolon",
      "#a:elsewhere.example",
      `#${"x".repeat(255)}:test`,
      "#a\u0000b:test",
    ]) {
      const answer = await give(alice, alias, roomId);
      expect(fault(answer), alias).to.deep.equal([400, "M_INVALID_PARAM"]);
    }
    const answer = await server.get(aliasPath("nothing"));
    expect(fault(answer)).to.deep.equal([400, "M_INVALID_PARAM"]);
  });

  it("CVE-2024-6303: cannot be taken over, whoever asks", async () => {
    const roomId = await makeRoom(alice);
    must(await give(alice, "#admins:test", roomId));
    const other = await makeRoom(bob);
    const taken = await give(bob, "#admins:test", other);
    expect(taken.status).to.equal(409);
    const removed = await bob.delete(aliasPath("#admins:test"));
    expect(fault(removed)).to.deep.equal([403, "M_FORBIDDEN"]);
    const found = must(await bob.get(aliasPath("#admins:test")));
    expect(found["room_id"]).to.equal(roomId);
  });

  it("are made once, however many ask at the same time", async () => {
    const rooms: string[] = [];
    for (let i = 0; i < 4; i++) rooms.push(await makeRoom(alice));
    const answers = await Promise.all(
      rooms.map((roomId) => give(alice, "#race:test", roomId)),
    );
    const won = answers.findIndex(({ status }) => status === 200);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([
      200, 409, 409, 409,
    ]);
    const found = must(await bob.get(aliasPath("#race:test")));
    expect(found["room_id"]).to.equal(rooms[won]);
  });

  it("are given by members alone", async () => {
    const roomId = await makePublicRoom(alice);
    const answer = await give(bob, "#strangers:test", roomId);
    expect(fault(answer)).to.deep.equal([403, "M_FORBIDDEN"]);
  });

  it("are taken away by who made them, and by who has the power", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    must(await give(bob, "#by-maker:test", roomId));
    must(await bob.delete(aliasPath("#by-maker:test")));
    must(await give(bob, "#by-power:test", roomId));
    must(await alice.delete(aliasPath("#by-power:test")));
    for (const alias of ["#by-maker:test", "#by-power:test"]) {
      expect((await bob.get(aliasPath(alias))).status).to.equal(404);
      const again = await bob.delete(aliasPath(alias));
      expect(fault(again)).to.deep.equal([404, "M_NOT_FOUND"]);
    }
  });

  it("leave the canonical alias event with the alias", async () => {
    const roomId = await makeRoom(alice);
    must(await give(alice, "#main:test", roomId));
    must(await give(alice, "#other:test", roomId));
    await setState(alice, roomId, "m.room.canonical_alias", {
      alias: "#main:test",
      alt_aliases: ["#other:test"],
    });
    must(await alice.delete(aliasPath("#other:test")));
    const target = path`/rooms/${roomId}/state/m.room.canonical_alias/`;
    const content = must(await alice.get(target));
    expect(content["alias"]).to.equal("#main:test");
    expect(content["alt_aliases"] ?? []).to.deep.equal([]);
    must(await alice.delete(aliasPath("#main:test")));
    expect(must(await alice.get(target))).not.to.have.property("alias");
  });

  it("leave it together, however many are taken away at once", async () => {
    const other = await server.startProcess();
    const roomId = await makePublicRoom(alice);
    const names = Array.from({ length: 8 }, (_, i) => `#many${i}:test`);
    for (const name of names)
      must(await alice.put(aliasPath(name), { room_id: roomId }));
    await setState(alice, roomId, "m.room.canonical_alias", {
      alias: names[0],
      alt_aliases: names,
    });
    const answers = await Promise.all(
      names.map((name, i) =>
        (i % 2 ? other.as(alice) : alice).delete(aliasPath(name)),
      ),
    );
    for (const answer of answers) must(answer);
    const state = await alice.get(
      path`/rooms/${roomId}/state/m.room.canonical_alias/`,
    );
    expect(state.body).to.deep.equal({ alt_aliases: [] });
  });

  it("are listed for members, and for the world where it may read", async () => {
    const closed = await makePublicRoom(alice);
    const refused = await bob.get(path`/rooms/${closed}/aliases`);
    expect(fault(refused)).to.deep.equal([403, "M_FORBIDDEN"]);
    const open = await makePublicRoom(alice, "world_readable");
    must(await bob.get(path`/rooms/${open}/aliases`));
    await act(bob, closed, "join");
    must(await bob.get(path`/rooms/${closed}/aliases`));
    await act(bob, closed, "leave");
    const left = await bob.get(path`/rooms/${closed}/aliases`);
    expect(left.text).to.equal(refused.text);
  });

  it("records what an administrator takes away from others", async () => {
    const alice = await server.user("owner-of-alias");
    const admin = await server.user("admin", { isAdmin: true });
    const roomId = await makePublicRoom(alice);
    must(await alice.put(aliasPath("#taken:test"), { room_id: roomId }));
    must(await admin.delete(aliasPath("#taken:test")));
    const record = (await readAudit(server)).at(-1)!;
    expect(record).to.include({ action: "aliases.delete", result: "allowed" });
    expect(record.actor).to.include({ user_id: admin.userId });
    expect(record.resource).to.deep.equal({
      type: "alias",
      id: "#taken:test",
    });
  });
});

describe("/directory/list/room/{roomId}", () => {
  const server = useServer();
  const listing = (roomId: string) => path`/directory/list/room/${roomId}`;

  it("lists and hides a room at the word of who has power in it", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const asMember = must(await bob.get(listing(roomId)));
    expect(asMember).to.deep.equal({ visibility: "private" });
    const wish = { visibility: "public" };
    const refused = await bob.put(listing(roomId), wish);
    expect(fault(refused)).to.deep.equal([403, "M_FORBIDDEN"]);
    const odd = await alice.put(listing(roomId), { visibility: "secret" });
    expect(odd.status).to.equal(400);
    must(await alice.put(listing(roomId), wish));
    expect(must(await server.get(listing(roomId)))).to.deep.equal(wish);
    must(await alice.put(listing(roomId), { visibility: "private" }));
    expect((await server.get(listing(roomId))).status).to.equal(404);
  });
});
