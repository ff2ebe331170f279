import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, list, text } from "../harness/json.ts";
import { row, shared } from "../harness/registry.ts";
import {
  getMessages,
  idsOf,
  listState,
  roomWithHistory,
  sendTexts,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { findEvent } from "../harness/sync.ts";

const STATE = "madeup.test.state";

/** A room that Bob has left, and in which Alice then changed the name and a state, spoke, and was joined by Charlie. */
const departed = shared(async (server: Server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const charlie = await server.user("charlie");
  const roomId = await roomWithHistory(alice, "joined");
  await bob.join(roomId);
  await alice.sendState(roomId, "m.room.name", "", { name: "before" });
  await alice.sendState(roomId, STATE, "", { body: "before" });
  const messages = await sendTexts(alice, roomId, "one", "two");
  await bob.leave(roomId);
  const since = await bob.syncToken();
  await alice.sendState(roomId, "m.room.name", "", { name: "after" });
  await alice.sendState(roomId, STATE, "", { body: "after" });
  await alice.sendText(roomId, "three");
  await charlie.join(roomId);
  return { alice, bob, roomId, since, messages };
});

type Departed = Awaited<ReturnType<typeof departed>>;

const left = (name: string, run: (scene: Departed) => Promise<void>) => {
  row("csapi", "TestLeftRoomFixture", name, async (server) =>
    run(await departed(server)),
  );
};

left(
  "Can get rooms/{roomId}/state for a departed room",
  async ({ alice, bob, roomId }) => {
    expect(await bob.getState(roomId, STATE)).to.deep.equal({ body: "before" });
    expect(await alice.getState(roomId, STATE)).to.deep.equal({
      body: "after",
    });
    const whole = await listState(bob, roomId);
    const made = findEvent(whole, STATE, "");
    expect(at(made, "content", "body")).to.equal("before");
    const own = findEvent(whole, "m.room.member", bob.userId);
    expect(at(own, "content", "membership")).to.equal("leave");
  },
);

left(
  "Can get 'm.room.name' state for a departed room",
  async ({ alice, bob, roomId }) => {
    const seen = await bob.getState(roomId, "m.room.name");
    expect(seen).to.deep.equal({ name: "before" });
    const current = await alice.getState(roomId, "m.room.name");
    expect(current).to.deep.equal({ name: "after" });
  },
);

left(
  "Can get rooms/{roomId}/members for a departed room",
  async ({ alice, bob, roomId }) => {
    const body = await bob.mustGet(path`/rooms/${roomId}/members`);
    const found = Object.fromEntries(
      list(body, "chunk").map((event) => [
        text(event, "state_key"),
        text(event, "content", "membership"),
      ]),
    );
    expect(found).to.deep.equal({
      [alice.userId]: "join",
      [bob.userId]: "leave",
    });
  },
);

left(
  "Can get rooms/{roomId}/messages for a departed room",
  async ({ bob, roomId, since, messages }) => {
    const body = await getMessages(bob, roomId, {
      dir: "b",
      limit: 3,
      from: since,
    });
    const [leave, ...rest] = list(body, "chunk");
    expect(leave?.["state_key"]).to.equal(bob.userId);
    expect(at(leave, "content", "membership")).to.equal("leave");
    expect(idsOf(rest)).to.deep.equal(messages.toReversed());
  },
);

left(
  "Getting messages going forward is limited for a departed room",
  async ({ bob, roomId, since }) => {
    const body = await getMessages(bob, roomId, {
      dir: "f",
      limit: 100,
      from: since,
    });
    expect(body["chunk"]).to.deep.equal([]);
  },
);
