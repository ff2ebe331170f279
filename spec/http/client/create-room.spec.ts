import { expect } from "chai";
import { makeRoom, must, path } from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

interface StateEvent {
  type: string;
  state_key: string;
  content: Json;
}

describe("POST /createRoom", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const stateOf = async (roomId: string) => {
    const { text } = await alice.get(path`/rooms/${roomId}/state`);
    const events = JSON.parse(text) as StateEvent[];
    return (type: string, key = "") =>
      events.find((e) => e.type === type && e.state_key === key)?.content;
  };

  it("follows the presets", async () => {
    for (const [preset, rule, guests] of [
      ["private_chat", "invite", "can_join"],
      ["trusted_private_chat", "invite", "can_join"],
      ["public_chat", "public", undefined],
    ] as const) {
      const state = await stateOf(await makeRoom(alice, { preset }));
      expect(state("m.room.join_rules")).to.deep.equal({ join_rule: rule });
      expect(state("m.room.history_visibility")).to.deep.equal({
        history_visibility: "shared",
      });
      expect(state("m.room.guest_access")?.["guest_access"]).to.equal(guests);
    }
  });

  it("lets initial_state go over the preset, and name and topic over both", async () => {
    const roomId = await makeRoom(alice, {
      preset: "public_chat",
      name: "by name",
      topic: "by topic",
      initial_state: [
        { type: "m.room.join_rules", content: { join_rule: "knock" } },
        { type: "m.room.name", content: { name: "by state" } },
        { type: "m.room.topic", content: { topic: "by state" } },
        { type: "org.example.s", state_key: "k", content: { a: 1 } },
      ],
    });
    const state = await stateOf(roomId);
    expect(state("m.room.join_rules")).to.deep.equal({ join_rule: "knock" });
    expect(state("m.room.name")).to.deep.equal({ name: "by name" });
    expect(state("m.room.topic")).to.include({ topic: "by topic" });
    expect(state("org.example.s", "k")).to.deep.equal({ a: 1 });
  });

  it("makes invited users of a trusted private chat equal to the creator", async () => {
    const request = { preset: "trusted_private_chat", invite: [bob.userId] };
    const old = await stateOf(
      await makeRoom(alice, { ...request, room_version: "11" }),
    );
    expect(old("m.room.power_levels")?.["users"]).to.deep.equal({
      [alice.userId]: 100,
      [bob.userId]: 100,
    });
    const now = await stateOf(
      await makeRoom(alice, { ...request, room_version: "12" }),
    );
    expect(now("m.room.create")?.["additional_creators"]).to.deep.equal([
      bob.userId,
    ]);
    const levels = now("m.room.power_levels");
    expect(levels?.["users"]).to.deep.equal({});
    expect((levels?.["events"] as Json)["m.room.tombstone"]).to.equal(150);
  });

  it("takes an alias and makes it the canonical one", async () => {
    const roomId = await makeRoom(alice, { room_alias_name: "the-pub" });
    const state = await stateOf(roomId);
    expect(state("m.room.canonical_alias")).to.deep.equal({
      alias: "#the-pub:test",
    });
    const found = await bob.get(path`/directory/room/${"#the-pub:test"}`);
    expect(found.body["room_id"]).to.equal(roomId);
    const again = await alice.post("/createRoom", {
      room_alias_name: "the-pub",
    });
    expect([again.status, again.body["errcode"]]).to.deep.equal([
      400,
      "M_ROOM_IN_USE",
    ]);
  });

  it("says of whom it is a direct chat, with the stripped state of the room", async () => {
    const roomId = await makeRoom(alice, {
      is_direct: true,
      invite: [bob.userId],
      name: "Direct",
      initial_state: [
        { type: "m.room.encryption", content: { algorithm: "a" } },
      ],
    });
    const sync = must<{ rooms: { invite: Record<string, Json> } }>(
      await bob.get("/sync"),
    );
    const { events } = sync.rooms.invite[roomId]!["invite_state"] as {
      events: StateEvent[];
    };
    expect(events.map(({ type }) => type)).to.include.members([
      ...["m.room.create", "m.room.join_rules", "m.room.name"],
      ...["m.room.encryption", "m.room.member"],
    ]);
    const own = events.find(({ state_key }) => state_key === bob.userId);
    expect(own?.content).to.include({ membership: "invite", is_direct: true });
  });

  const refused: [string, Json, string][] = [
    [
      "an unknown version",
      { room_version: "99" },
      "M_UNSUPPORTED_ROOM_VERSION",
    ],
    ["a version that is no text", { room_version: 12 }, "M_BAD_JSON"],
    ["an invite of no user", { invite: ["bob"] }, "M_INVALID_PARAM"],
    [
      "a server out of reach",
      { invite: ["@x:far.example"] },
      "M_CONNECTION_FAILED",
    ],
    ["an alias with a colon", { room_alias_name: "a:b" }, "M_INVALID_PARAM"],
    [
      "an alias without end",
      { room_alias_name: "a".repeat(300) },
      "M_INVALID_PARAM",
    ],
    [
      "levels that are no integers",
      { power_level_content_override: { ban: "50" } },
      "M_BAD_JSON",
    ],
    [
      "levels of what is no user",
      { power_level_content_override: { users: { bob: 1 } } },
      "M_BAD_JSON",
    ],
    [
      "another create event",
      { initial_state: [{ type: "m.room.create", content: {} }] },
      "M_BAD_JSON",
    ],
    [
      "members that were not asked",
      {
        initial_state: [
          {
            type: "m.room.member",
            state_key: "@bob:test",
            content: { membership: "invite" },
          },
        ],
      },
      "M_INVALID_PARAM",
    ],
    [
      "a canonical alias that is not its own",
      {
        room_alias_name: "own",
        initial_state: [
          {
            type: "m.room.canonical_alias",
            content: { alias: "#own:test", alt_aliases: ["#somebodys:test"] },
          },
        ],
      },
      "M_BAD_ALIAS",
    ],
    [
      "a canonical alias that is none",
      {
        initial_state: [
          { type: "m.room.canonical_alias", content: { alias: "own" } },
        ],
      },
      "M_INVALID_PARAM",
    ],
    [
      "a redaction as state",
      { initial_state: [{ type: "m.room.redaction", content: {} }] },
      "M_BAD_JSON",
    ],
    ["a name that is too long", { name: "x".repeat(70_000) }, "M_TOO_LARGE"],
    [
      "a float",
      { initial_state: [{ type: "a.b", content: { f: 1.5 } }] },
      "M_BAD_JSON",
    ],
    [
      "a state key of 256 bytes",
      {
        initial_state: [{ type: "a", state_key: "é".repeat(128), content: {} }],
      },
      "M_TOO_LARGE",
    ],
    [
      "the creator among the users of a version 12 room",
      { power_level_content_override: { users: { "@alice:test": 100 } } },
      "M_INVALID_ROOM_STATE",
    ],
  ];
  for (const [what, request, errcode] of refused) {
    it(`refuses ${what} and makes no room`, async () => {
      const before = must(await alice.get("/joined_rooms"));
      const answer = await alice.post("/createRoom", request);
      expect(answer.body["errcode"], answer.text).to.equal(errcode);
      expect(must(await alice.get("/joined_rooms"))).to.deep.equal(before);
    });
  }

  it("lets initial_state name the room's own alias as the canonical one", async () => {
    const content = { alias: "#mine:test", alt_aliases: ["#mine:test"] };
    const roomId = await makeRoom(alice, {
      room_alias_name: "mine",
      initial_state: [{ type: "m.room.canonical_alias", content }],
    });
    const state = await alice.get(
      path`/rooms/${roomId}/state/m.room.canonical_alias/`,
    );
    expect(state.body).to.deep.equal(content);
  });

  it("keeps the tombstone of a version 12 room above all other state, whatever the override", async () => {
    for (const [override, level] of [
      [{ events: { "m.x": 1 } }, 150],
      [{ state_default: 200 }, 201],
      [{ events: { "m.room.tombstone": 50 } }, 150],
      [{ events: { "m.room.tombstone": 170 } }, 170],
    ] as const) {
      const roomId = await makeRoom(alice, {
        room_version: "12",
        power_level_content_override: override,
      });
      const { events } = (
        await alice.get(path`/rooms/${roomId}/state/m.room.power_levels/`)
      ).body as { events: Json };
      expect(events["m.room.tombstone"]).to.equal(level);
    }
  });

  it("does not invite who accepts no invites", async () => {
    must(
      await bob.put(
        path`/user/${bob.userId}/account_data/m.invite_permission_config`,
        { default_action: "block" },
      ),
    );
    const answer = await alice.post("/createRoom", { invite: [bob.userId] });
    expect([answer.status, answer.body["errcode"]]).to.deep.equal([
      403,
      "M_INVITE_BLOCKED",
    ]);
  });

  it("keeps keys named like those of prototypes, as they are", async () => {
    const content =
      '{"__proto__":{"polluted":true},"constructor":"c","toString":1}';
    const answer = await alice.post(
      "/createRoom",
      `{"initial_state":[{"type":"org.example.p","content":${content}}]}` as never,
    );
    const roomId = must<{ room_id: string }>(answer).room_id;
    const { text } = await alice.get(
      path`/rooms/${roomId}/state/org.example.p`,
    );
    expect(text).to.equal(content);
    expect(({} as Json)["polluted"]).to.equal(undefined);
  });

  it("makes as many rooms as were asked for, alike and at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => alice.post("/createRoom", {})),
    );
    const roomIds = answers.map(
      (answer) => must<{ room_id: string }>(answer).room_id,
    );
    expect(new Set(roomIds).size).to.equal(12);
  });
});
