import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  setState,
} from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

describe("PUT /rooms/{roomId}/state/{eventType}/{stateKey}", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  it("makes no new event of what stands already, whatever the order of its keys", async () => {
    const roomId = await makeRoom(alice);
    const put = (text: string) =>
      alice.put(path`/rooms/${roomId}/state/org.example.s/k`, text);
    const first = must(await put('{"a":1,"b":{"c":[1,2],"d":"x"}}'));
    const same = must(await put('{"b":{"d":"x","c":[1,2]},"a":1}'));
    expect(same).to.deep.equal(first);
    const other = must(await put('{"b":{"d":"x","c":[2,1]},"a":1}'));
    expect(other).to.not.deep.equal(first);
  });

  it("takes the empty state key with and without its slash", async () => {
    const roomId = await makeRoom(alice);
    const content = { name: "one" };
    must(await alice.put(path`/rooms/${roomId}/state/m.room.name/`, content));
    for (const ending of ["", "/"]) {
      const target = path`/rooms/${roomId}/state/m.room.name` + ending;
      expect((await alice.get(target)).body).to.deep.equal(content);
    }
  });

  it("stores state keys with every character that a path can carry", async () => {
    const roomId = await makeRoom(alice);
    for (const key of ["a/b", "\\", '"', "%", "\u0001", "😀", "a\nb", " "]) {
      const id = await setState(alice, roomId, "org.example\\s", { key }, key);
      const event = await alice.get(
        path`/rooms/${roomId}/state/${"org.example\\s"}/${key}?format=event`,
      );
      expect(event.body).to.include({ event_id: id, state_key: key });
    }
  });

  const levels = (content: Json) => ["m.room.power_levels", content] as const;
  const alias = (content: Json) => ["m.room.canonical_alias", content] as const;
  const refused: [string, readonly [string, Json], string][] = [
    ["a create event", ["m.room.create", { x: 1 }], "M_BAD_JSON"],
    ["levels as text", levels({ ban: "50" }), "M_BAD_JSON"],
    ["levels as fractions", levels({ ban: 1.5 }), "M_BAD_JSON"],
    ["levels as null", levels({ invite: null }), "M_BAD_JSON"],
    ["events that are no object", levels({ events: [] }), "M_BAD_JSON"],
    ["users that are none", levels({ users: { alice: 1 } }), "M_BAD_JSON"],
    [
      "creators with a level",
      levels({ users: { "@alice:test": 1 } }),
      "M_BAD_JSON",
    ],
    ["an alias that is none", alias({ alias: "#pub" }), "M_INVALID_PARAM"],
    ["an alias that is no text", alias({ alias: 1 }), "M_INVALID_PARAM"],
    ["an alias of nothing", alias({ alias: "#none:test" }), "M_BAD_ALIAS"],
    ["aliases that are none", alias({ alt_aliases: ["x"] }), "M_INVALID_PARAM"],
    ["aliases in no list", alias({ alt_aliases: "#x:y" }), "M_INVALID_PARAM"],
    ["a redaction", ["m.room.redaction", { redacts: "$x" }], "M_BAD_JSON"],
    ["a list that lets in nobody", ["m.room.server_acl", {}], "M_BAD_JSON"],
    [
      "a list that shuts out this server",
      ["m.room.server_acl", { allow: ["*"], deny: ["te?t"] }],
      "M_BAD_JSON",
    ],
    ["a float", ["org.example.f", { f: 0.5 }], "M_BAD_JSON"],
    ["too large a number", ["org.example.f", { f: 2 ** 53 }], "M_BAD_JSON"],
    ["too much", ["org.example.f", { f: "x".repeat(65_536) }], "M_TOO_LARGE"],
    ["too long a type", ["x".repeat(256), {}], "M_TOO_LARGE"],
    ["what is for another user", ["org.example.f", {}], "M_FORBIDDEN"],
  ];
  for (const [what, [type, content], errcode] of refused) {
    it(`refuses ${what}`, async () => {
      const roomId = await makeRoom(alice);
      const key = errcode === "M_FORBIDDEN" ? bob.userId : "";
      const target = path`/rooms/${roomId}/state/${type}/${key}`;
      const answer = await alice.put(target, content);
      expect(answer.body["errcode"], answer.text).to.equal(errcode);
    });
  }

  it("lets nobody but the creator set state before there are power levels (CVE-2018-12423)", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const { sql } = server.database;
    await sql`delete from current_state using rooms r
      where r.room_nid = current_state.room_nid and r.room_id = ${roomId} and type = 'm.room.power_levels'`;
    const fresh = await server.startProcess();
    const put = (user: TestUser) =>
      fresh
        .as(user)
        .put(path`/rooms/${roomId}/state/m.room.name`, { name: "mine" });
    expect((await put(alice)).status).to.equal(200);
    expect((await put(bob)).status).to.equal(403);
  });
});
