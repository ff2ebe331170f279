import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { strings } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { aliasTarget, newAlias, setAlias } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const alias = (
  name: string,
  run: (alice: User, bob: User) => Promise<void>,
) => {
  row("csapi", "TestRoomAlias", `Parallel/${name}`, async (server) =>
    run(await server.user("alice"), await server.user("bob")),
  );
};

async function mustSetAlias(user: User, name: string, roomId: string) {
  const made = newAlias(user, name);
  expect((await setAlias(user, made, roomId)).status).to.equal(200);
  return made;
}

alias("PUT /directory/room/:room alias creates alias", async (alice, bob) => {
  const roomId = await alice.createRoom();
  const made = await mustSetAlias(alice, "creates", roomId);
  expect(await aliasTarget(bob, made)).to.equal(roomId);
});

alias("GET /rooms/:room id/aliases lists aliases", async (alice) => {
  const roomId = await alice.createRoom();
  const target = path`/rooms/${roomId}/aliases`;
  expect(await alice.mustGet(target)).to.deep.equal({ aliases: [] });
  const one = await mustSetAlias(alice, "one", roomId);
  const two = await mustSetAlias(alice, "two", roomId);
  const found = strings(await alice.mustGet(target), "aliases");
  expect(found).to.have.members([one, two]);
});

alias("Only room members can list aliases of a room", async (alice, bob) => {
  const roomId = await alice.createRoom();
  await mustSetAlias(alice, "members", roomId);
  const answer = await bob.get(path`/rooms/${roomId}/aliases`);
  expectError(answer, 403, "M_FORBIDDEN");
});

alias("Room aliases can contain Unicode", async (alice, bob) => {
  const roomId = await alice.createRoom();
  const made = await mustSetAlias(alice, "老虎Â£я🤨👉ඞ", roomId);
  expect(await aliasTarget(bob, made)).to.equal(roomId);
});
