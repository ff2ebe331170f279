import { expect } from "chai";
import { path } from "../harness/client.ts";
import type { JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { publicRoom } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { SLIDING_SYNC } from "../harness/sliding.ts";

const EXTENSION = "io.element.msc4308.thread_subscriptions";
const ASKED = { extensions: { [EXTENSION]: { enabled: true, limit: 2 } } };

/** Alice in a room with two threads' roots. */
async function setUp(server: Server) {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const roots = [
    await alice.sendText(roomId, "one"),
    await alice.sendText(roomId, "two"),
  ] as const;
  const subscribe = (root: string) =>
    alice.mustPut(
      `/_matrix/client/unstable/io.element.msc4306${path`/rooms/${roomId}/thread/${root}/subscription`}`,
      {},
    );
  /** The threads that an answer tells of, and the position that follows it. */
  const ask = async (pos = "") => {
    const answer = await alice.mustPost(
      `${SLIDING_SYNC}?timeout=0${pos}`,
      ASKED,
    );
    const extensions = answer["extensions"] as JsonObject;
    const { subscribed = {} } = (extensions[EXTENSION] ?? {}) as {
      subscribed?: Record<string, JsonObject>;
    };
    return {
      pos: `&pos=${encodeURIComponent(String(answer["pos"]))}`,
      threads: Object.keys(subscribed[roomId] ?? {}),
    };
  };
  return { roots, subscribe, ask };
}

const subscriptions = (
  name: string,
  test: (there: Awaited<ReturnType<typeof setUp>>) => Promise<void>,
) =>
  row(
    "msc4306",
    "TestMSC4308ThreadSubscriptionsSlidingSync",
    name,
    async (server) => test(await setUp(server)),
  );

subscriptions(
  "Receives thread subscriptions over initial sliding sync",
  async ({ roots, subscribe, ask }) => {
    for (const root of roots) await subscribe(root);
    expect((await ask()).threads).to.have.members([...roots]);
  },
);

subscriptions(
  "Receives thread subscriptions over incremental sliding sync",
  async ({ roots, subscribe, ask }) => {
    await subscribe(roots[0]);
    const first = await ask();
    expect(first.threads).to.deep.equal([roots[0]]);
    await subscribe(roots[1]);
    expect((await ask(first.pos)).threads).to.deep.equal([roots[1]]);
  },
);
