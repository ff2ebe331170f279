import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { row } from "../harness/registry.ts";
import { publicRoom } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";

const NOT_IN_THREAD = "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD";
const CONFLICTING = "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION";

/** Alice in a room with a thread's root. */
async function setUp(server: Server) {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const root = await alice.sendText(roomId, "root");
  const target = (eventId: string) =>
    `/_matrix/client/unstable/io.element.msc4306${path`/rooms/${roomId}/thread/${eventId}/subscription`}`;
  return {
    alice,
    root,
    target,
    say: () => alice.sendText(roomId, "another root"),
    reply: (to = root) =>
      alice.send(roomId, "m.room.message", {
        msgtype: "m.text",
        body: "reply",
        "m.relates_to": { rel_type: "m.thread", event_id: to },
      }),
    subscribe: (automatic?: string) =>
      alice.put(target(root), automatic === undefined ? {} : { automatic }),
    unsubscribe: () => alice.mustDelete(target(root)),
    get: () => alice.get(target(root)),
    automatic: async () => (await alice.mustGet(target(root)))["automatic"],
  };
}

const subscriptions = (
  name: string,
  test: (there: Awaited<ReturnType<typeof setUp>>) => Promise<void>,
) =>
  row("msc4306", "TestThreadSubscriptions", name, async (server) =>
    test(await setUp(server)),
  );

subscriptions(
  "Can subscribe to and unsubscribe from a thread",
  async (there) => {
    expect((await there.subscribe()).status).to.equal(200);
    expect(await there.automatic()).to.equal(false);
    await there.unsubscribe();
    expectError(await there.get(), 404, "M_NOT_FOUND");
  },
);

subscriptions(
  "Cannot use thread root as automatic subscription cause event",
  async (there) => {
    expectError(await there.subscribe(there.root), 400, NOT_IN_THREAD);
  },
);

subscriptions(
  "Can create automatic subscription to a thread",
  async (there) => {
    const cause = await there.reply();
    expect((await there.subscribe(cause)).status).to.equal(200);
    expect(await there.automatic()).to.equal(true);
  },
);

subscriptions(
  "Manual subscriptions overwrite automatic subscriptions",
  async (there) => {
    const cause = await there.reply();
    expect((await there.subscribe(cause)).status).to.equal(200);
    expect((await there.subscribe()).status).to.equal(200);
    expect(await there.automatic()).to.equal(false);
  },
);

subscriptions("Error when using invalid automatic event ID", async (there) => {
  const other = await there.reply(await there.say());
  expectError(await there.subscribe(other), 400, NOT_IN_THREAD);
});

subscriptions(
  "Unsubscribe succeeds even with no subscription",
  async (there) => {
    await there.unsubscribe();
  },
);

subscriptions("Nonexistent threads return 404", async ({ alice, target }) => {
  const absent = target("$notathread:example.org");
  expectError(await alice.put(absent), 404);
  expectError(await alice.get(absent), 404);
});

subscriptions(
  "Server-side automatic subscription ordering conflict",
  async (there) => {
    const first = await there.reply();
    expect((await there.subscribe(first)).status).to.equal(200);
    const second = await there.reply();
    await there.unsubscribe();
    const third = await there.reply();
    for (const cause of [first, second]) {
      expectError(await there.subscribe(cause), 409, CONFLICTING);
      expectError(await there.get(), 404);
    }
    expect((await there.subscribe(third)).status).to.equal(200);
    expect(await there.automatic()).to.equal(true);
  },
);
