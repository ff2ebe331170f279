import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { levels, publicRoom } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

interface Trio {
  alice: User;
  bob: User;
  charlie: User;
}

type Name = keyof Trio;

interface Upgrade {
  what: string;
  from: "11" | "12";
  powers: Partial<Record<Name, number>>;
  by: Name;
  additional?: Name[];
  /** The levels that the new room's power levels give. */
  then: Partial<Record<Name, number>>;
}

const UPGRADES: Upgrade[] = [
  {
    what: "an administrator who did not create the v11 room",
    from: "11",
    powers: { bob: 100 },
    by: "bob",
    then: {},
  },
  {
    what: "a v11 room with another administrator",
    from: "11",
    powers: { bob: 100, charlie: 100 },
    by: "bob",
    then: { charlie: 100 },
  },
  {
    what: "a v12 room, naming another creator",
    from: "12",
    powers: { bob: 150 },
    by: "bob",
    additional: ["charlie"],
    then: {},
  },
  {
    what: "a v12 room, whose moderator becomes a creator",
    from: "12",
    powers: { bob: 150, charlie: 50 },
    by: "bob",
    additional: ["charlie"],
    then: {},
  },
  {
    what: "the creator of a v11 room, naming another creator",
    from: "11",
    powers: { alice: 100, bob: 100 },
    by: "alice",
    additional: ["bob"],
    then: {},
  },
  {
    what: "the creator of a v11 room that has a moderator",
    from: "11",
    powers: { alice: 100, bob: 100, charlie: 50 },
    by: "alice",
    additional: ["bob"],
    then: { charlie: 50 },
  },
];

const byId = (trio: Trio, powers: Upgrade["powers"]) =>
  Object.fromEntries(
    Object.entries(powers).map(([name, level]) => [
      name === "alice" || name === "bob" || name === "charlie"
        ? trio[name].userId
        : name,
      level,
    ]),
  );

async function check(trio: Trio, upgrade: Upgrade): Promise<void> {
  const { alice, bob, charlie } = trio;
  const roomId = await publicRoom(alice, { room_version: upgrade.from });
  await Promise.all([bob.join(roomId), charlie.join(roomId)]);
  const powers = levels(byId(trio, upgrade.powers));
  await alice.sendState(roomId, "m.room.power_levels", "", powers);
  const upgrader = trio[upgrade.by];
  const additional = upgrade.additional?.map((name) => trio[name].userId);
  const answer = await upgrader.mustPost(path`/rooms/${roomId}/upgrade`, {
    new_version: "12",
    ...(additional && { additional_creators: additional }),
  });
  const created = text(answer, "replacement_room");
  const creation = await upgrader.getState(created, "m.room.create");
  expect(creation["room_version"], upgrade.what).to.equal("12");
  const found = creation["additional_creators"];
  expect(found, upgrade.what).to.deep.equal(additional);
  const now = await upgrader.getState(created, "m.room.power_levels");
  const expected = byId(trio, upgrade.then);
  expect(at(now, "users") ?? {}, upgrade.what).to.deep.equal(expected);
}

row(
  "general",
  "TestMSC4289PrivilegedRoomCreators_Upgrades",
  "",
  async (server) => {
    const trio = {
      alice: await server.user("alice"),
      bob: await server.user("bob"),
      charlie: await server.user("charlie"),
    };
    await Promise.all(UPGRADES.map((upgrade) => check(trio, upgrade)));
  },
);
