import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, text } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  aliasTarget,
  contentOf,
  getStateEvent,
  newAlias,
  publicRoom,
  setAlias,
  stateOf,
} from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const upgrades = ownRows("room upgrades");

const upgrade = async (user: User, roomId: string, new_version: string) =>
  text(
    await user.mustPost(path`/rooms/${roomId}/upgrade`, { new_version }),
    "replacement_room",
  );

upgrades("the old room points on, the new one back", async ({ alice }) => {
  const old = await publicRoom(alice, { room_version: "9" });
  const next = await upgrade(alice, old, "10");
  const tombstone = await getStateEvent(alice, old, "m.room.tombstone");
  expect(at(contentOf(tombstone), "replacement_room")).to.equal(next);
  const creation = await alice.getState(next, "m.room.create");
  expect(creation["room_version"]).to.equal("10");
  expect(at(creation, "predecessor", "room_id")).to.equal(old);
  expect(at(creation, "predecessor", "event_id")).to.be.a("string");
});

upgrades(
  "the state goes along, with the type of the room",
  async ({ alice }) => {
    const encryption = { algorithm: "m.megolm.v1.aes-sha2" };
    const acl = { allow: ["*"], deny: ["evil.example"] };
    const old = await alice.createRoom({
      room_version: "11",
      preset: "public_chat",
      name: "name",
      topic: "topic",
      creation_content: { type: "m.space" },
      initial_state: [
        stateOf("m.room.encryption", encryption),
        stateOf("m.room.server_acl", acl),
        stateOf("m.room.history_visibility", { history_visibility: "joined" }),
      ],
    });
    const next = await upgrade(alice, old, "12");
    for (const type of [
      ...["m.room.name", "m.room.encryption", "m.room.server_acl"],
      ...["m.room.history_visibility", "m.room.join_rules"],
    ])
      expect(await alice.getState(next, type), type).to.deep.equal(
        await alice.getState(old, type),
      );
    const topic = await alice.getState(next, "m.room.topic");
    expect(topic["topic"]).to.equal("topic");
    const creation = await alice.getState(next, "m.room.create");
    expect(creation["type"]).to.equal("m.space");
  },
);

upgrades("aliases move to the new room", async ({ alice }) => {
  const old = await publicRoom(alice, { room_version: "11" });
  const alias = newAlias(alice, "moving");
  expect((await setAlias(alice, alias, old)).status).to.equal(200);
  const next = await upgrade(alice, old, "12");
  expect(await aliasTarget(alice, alias)).to.equal(next);
});

upgrades("the old room falls silent", async ({ alice, bob }) => {
  const old = await publicRoom(alice, { room_version: "11" });
  await bob.join(old);
  await upgrade(alice, old, "12");
  const target = path`/rooms/${old}/send/m.room.message/${bob.nextTxn()}`;
  const answer = await bob.put(target, { msgtype: "m.text", body: "hello?" });
  expectError(answer, 403, "M_FORBIDDEN");
});

upgrades("an unknown version is refused", async ({ alice }) => {
  const old = await publicRoom(alice);
  const target = path`/rooms/${old}/upgrade`;
  const answer = await alice.post(target, { new_version: "no-such" });
  expectError(answer, 400, "M_UNSUPPORTED_ROOM_VERSION");
});

upgrades(
  "whoever may not send the tombstone may not upgrade",
  async ({ alice, bob }) => {
    const old = await publicRoom(alice);
    await bob.join(old);
    const target = path`/rooms/${old}/upgrade`;
    const answer = await bob.post(target, { new_version: "11" });
    expectError(answer, 403, "M_FORBIDDEN");
  },
);
