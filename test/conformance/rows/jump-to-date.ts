import { expect } from "chai";
import { expectError, path, type Answer } from "../harness/client.ts";
import { text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { getEvent, publicRoom } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const ask = (
  user: User,
  roomId: string,
  ts: number,
  dir: "b" | "f",
): Promise<Answer> =>
  user.get(`/_matrix/client/v1${path`/rooms/${roomId}/timestamp_to_event`}`, {
    ts,
    dir,
  });

interface Scene {
  alice: User;
  bob: User;
  roomId: string;
  /** Two messages, with the times that the server gave them. */
  first: { eventId: string; ts: number };
  second: { eventId: string; ts: number };
}

const jumps = (name: string, run: (scene: Scene) => Promise<void>) => {
  const full = `parallel/${name}`;
  row("general", "TestJumpToDateEndpoint", full, async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await publicRoom(alice);
    const say = async (body: string) => {
      const eventId = await alice.sendText(roomId, body);
      const { body: event } = await getEvent(alice, roomId, eventId);
      return { eventId, ts: Number(event["origin_server_ts"]) };
    };
    const first = await say("first");
    let second = await say("second");
    // The second one is to have a time of its own.
    while (second.ts === first.ts) second = await say("second");
    await run({ alice, bob, roomId, first, second });
  });
};

jumps(
  "should find event after given timestamp",
  async ({ alice, roomId, first, second }) => {
    const answer = await ask(alice, roomId, first.ts + 1, "f");
    expect(answer.status).to.equal(200);
    const found = text(answer.body, "event_id");
    const { body: event } = await getEvent(alice, roomId, found);
    expect(event["origin_server_ts"]).to.be.within(first.ts + 1, second.ts);
  },
);

jumps(
  "should find event before given timestamp",
  async ({ alice, roomId, second }) => {
    const answer = await ask(alice, roomId, second.ts, "b");
    expect(answer.status).to.equal(200);
    expect(text(answer.body, "event_id")).to.equal(second.eventId);
  },
);

jumps(
  "should find nothing before the earliest timestamp",
  async ({ alice, roomId }) => {
    expectError(await ask(alice, roomId, 1, "b"), 404, "M_NOT_FOUND");
  },
);

jumps(
  "should find nothing after the latest timestamp",
  async ({ alice, roomId, second }) => {
    const answer = await ask(alice, roomId, second.ts + 86_400_000, "f");
    expectError(answer, 404, "M_NOT_FOUND");
  },
);

jumps(
  "should not be able to query a private room you are not a member of",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom({ preset: "private_chat" });
    expectError(await ask(bob, roomId, 1, "f"), 403, "M_FORBIDDEN");
  },
);

jumps(
  "should not be able to query a public room you are not a member of",
  async ({ bob, roomId }) => {
    expectError(await ask(bob, roomId, 1, "f"), 403, "M_FORBIDDEN");
  },
);
