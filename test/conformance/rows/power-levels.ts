import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { object } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  contentOf,
  getEvent,
  levels,
  publicRoom,
  trySetState,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";

row("csapi", "TestDemotingUsersViaUsersDefault", "", async (server) => {
  const alice = await server.user("alice");
  const mine = { [alice.userId]: 100 };
  const roomId = await publicRoom(alice, {
    room_version: "11",
    power_level_content_override: levels(mine, { users_default: 100 }),
  });
  const lower = levels(mine, { users_default: 40 });
  await alice.sendState(roomId, "m.room.power_levels", "", lower);
  const found = await alice.getState(roomId, "m.room.power_levels");
  expect(found["users_default"]).to.equal(40);
});

const power = (name: string, run: (server: Server) => Promise<void>) => {
  row("csapi", "TestPowerLevels", name, run);
};

power(
  "GET /rooms/:room id/state/m.room.power levels can fetch levels",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await alice.createRoom({ room_version: "11" });
    const found = await alice.getState(roomId, "m.room.power_levels");
    const names = ["ban", "kick", "redact", "state_default"];
    for (const name of [...names, "events_default", "users_default"])
      expect(found[name], name).to.be.a("number");
    for (const part of ["events", "users"])
      for (const [name, level] of Object.entries(object(found, part)))
        expect(level, name).to.be.a("number");
    const mine = object(found, "users")[alice.userId];
    expect(mine).to.be.above(Number(found["users_default"]));
  },
);

power(
  "PUT /rooms/:room id/state/m.room.power levels can set levels",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await alice.createRoom({ room_version: "11" });
    const others = { "@random-other-user:their.home": 20 };
    const content = levels({ [alice.userId]: 100, ...others }, { invite: 100 });
    const eventId = await alice.sendState(
      roomId,
      "m.room.power_levels",
      "",
      content,
    );
    const { body } = await getEvent(alice, roomId, eventId);
    expect(contentOf(body)).to.deep.equal(content);
  },
);

power(
  "PUT power levels should not explode if the old power levels were empty",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await alice.createRoom({ room_version: "11" });
    const set = (content: object) =>
      trySetState(alice, roomId, "m.room.power_levels", content);
    expect((await set(levels({ [alice.userId]: 100 }))).status).to.equal(200);
    expect((await set({})).status).to.equal(200);
    expectError(await set({ users: {} }), 403);
    const found = await alice.getState(roomId, "m.room.power_levels");
    expect(found).to.deep.equal({});
  },
);
