import { expect } from "chai";
import { createBus } from "../../../src/storage/bus.ts";
import { destroyKeys } from "../../../src/storage/destroy-keys.ts";
import type { KeyName } from "../../../src/storage/keyring.ts";
import { deleteKeys } from "../../../src/storage/keys.ts";
import {
  act,
  bodiesOf,
  makePublicRoom,
  pageThrough,
  say,
  setState,
} from "../../support/rooms.ts";
import { quiet } from "../../support/database.ts";
import { type TestUser, useServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

describe("a room whose keys of a span are destroyed", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  it("loses its messages in every process that has them open, as soon as it is told", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const other = (await server.startProcess()).as(alice);
    await say(alice, roomId, "opened");
    const bodiesFor = async (client: typeof other) =>
      bodiesOf(await pageThrough(client, roomId, { dir: "b" }));
    for (const client of [alice, other])
      expect(await bodiesFor(client)).to.deep.equal(["opened"]);
    const { sql } = server.database;
    const names = await sql<KeyName[]>`
      select scope, owner, span from keys where scope = 'room-span' and owner = ${roomId}`;
    const bus = await createBus(sql, { log: quiet });
    const forgetful = { forget: () => undefined };
    const memory = { forgetOpened: () => undefined };
    await destroyKeys({ sql, bus, keyring: forgetful, memory }, names);
    for (const client of [alice, other])
      await until(async () => !(await bodiesFor(client)).includes("opened"));
    await bus.close();
  });

  /** As another process would, whose hint this one has not heard. */
  const destroySpans = async (): Promise<void> => {
    const { sql } = server.database;
    const names = await sql<KeyName[]>`
      select scope, owner, span from keys where scope in ('room-span', 'user-span')`;
    const keyIds = await deleteKeys(sql, names);
    expect(keyIds).to.not.have.length(0);
  };

  it("loses its messages, and can be joined and talked in", async () => {
    const roomId = await makePublicRoom(alice);
    await setState(alice, roomId, "m.room.name", { name: "Kept" });
    await setState(alice, roomId, "m.room.encryption", {
      algorithm: "m.megolm.v1.aes-sha2",
    });
    await say(alice, roomId, "lost");
    await destroySpans();

    await act(bob, roomId, "join");
    await say(bob, roomId, "here");
    await say(alice, roomId, "still here");
    const fresh = await server.startProcess();
    const messages = await pageThrough(fresh.as(bob), roomId, { dir: "b" });
    expect(bodiesOf(messages)).to.deep.equal(["still here", "here", undefined]);
    const state = await fresh.as(bob).get(`/rooms/${roomId}/state/m.room.name`);
    expect(state.body).to.deep.equal({ name: "Kept" });
    const encryption = await fresh
      .as(bob)
      .get(`/rooms/${roomId}/state/m.room.encryption`);
    expect(encryption.status).to.equal(200);
  });
});
