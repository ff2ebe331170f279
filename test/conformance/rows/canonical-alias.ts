import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import type { JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { newAlias, setAlias, trySetState } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const canonical = (
  name: string,
  run: (alice: User, roomId: string) => Promise<void>,
) => {
  row("csapi", "TestRoomCanonicalAlias", `Parallel/${name}`, async (server) => {
    const alice = await server.user("alice");
    await run(alice, await alice.createRoom());
  });
};

async function mustSetAlias(user: User, name: string, roomId: string) {
  const alias = newAlias(user, name);
  expect((await setAlias(user, alias, roomId)).status).to.equal(200);
  return alias;
}

const set = (user: User, roomId: string, content: JsonObject) =>
  trySetState(user, roomId, "m.room.canonical_alias", content);

canonical(
  "m.room.canonical alias accepts present aliases",
  async (alice, roomId) => {
    const alias = await mustSetAlias(alice, "present", roomId);
    expect((await set(alice, roomId, { alias })).status).to.equal(200);
    const found = await alice.getState(roomId, "m.room.canonical_alias");
    expect(found).to.deep.equal({ alias });
  },
);

canonical(
  "m.room.canonical alias accepts present alt aliases",
  async (alice, roomId) => {
    const alias = await mustSetAlias(alice, "present", roomId);
    const content = { alias, alt_aliases: [alias] };
    expect((await set(alice, roomId, content)).status).to.equal(200);
    const found = await alice.getState(roomId, "m.room.canonical_alias");
    expect(found).to.deep.equal(content);
  },
);

canonical(
  "m.room.canonical alias rejects missing aliases",
  async (alice, roomId) => {
    const alias = newAlias(alice, "missing");
    expectError(await set(alice, roomId, { alias }), 400, "M_BAD_ALIAS");
  },
);

canonical(
  "m.room.canonical alias rejects missing aliases#01",
  async (alice, roomId) => {
    const alias = await mustSetAlias(alice, "present", roomId);
    const alt_aliases = [newAlias(alice, "missing")];
    const answer = await set(alice, roomId, { alias, alt_aliases });
    expectError(answer, 400, "M_BAD_ALIAS");
  },
);

canonical(
  "m.room.canonical alias rejects invalid aliases",
  async (alice, roomId) => {
    const alias = `%invalid:${alice.serverName}`;
    expectError(await set(alice, roomId, { alias }), 400, "M_INVALID_PARAM");
  },
);

canonical(
  "m.room.canonical alias rejects invalid aliases#01",
  async (alice, roomId) => {
    const alias = await mustSetAlias(alice, "present", roomId);
    const alt_aliases = [`%invalid:${alice.serverName}`];
    const answer = await set(alice, roomId, { alias, alt_aliases });
    expectError(answer, 400, "M_INVALID_PARAM");
  },
);

canonical(
  "m.room.canonical alias rejects alias pointing to different local room",
  async (alice, roomId) => {
    const alias = await mustSetAlias(alice, "other", await alice.createRoom());
    expectError(await set(alice, roomId, { alias }), 400, "M_BAD_ALIAS");
  },
);

canonical(
  "m.room.canonical alias rejects alt alias pointing to different local room",
  async (alice, roomId) => {
    const alias = await mustSetAlias(alice, "present", roomId);
    const other = await mustSetAlias(alice, "other", await alice.createRoom());
    const answer = await set(alice, roomId, { alias, alt_aliases: [other] });
    expectError(answer, 400, "M_BAD_ALIAS");
  },
);

canonical(
  "m.room.canonical alias setting rejects deleted aliases",
  async (alice, roomId) => {
    const alias = await mustSetAlias(alice, "deleted", roomId);
    await alice.mustDelete(path`/directory/room/${alias}`);
    expectError(await set(alice, roomId, { alias }), 400, "M_BAD_ALIAS");
  },
);
