import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import { presence } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const TEST = "TestPresence";

const statusOf = (user: User): string => path`/presence/${user.userId}/status`;

const hasPresence = (sync: JsonObject, user: User, expected: JsonObject) =>
  presence(sync).some(
    (event) =>
      event["type"] === "m.presence" &&
      event["sender"] === user.userId &&
      Object.entries(expected).every(
        ([key, value]) => at(event, "content", key) === value,
      ),
  );

/** Two who share a room, and where the second one's sync stands. */
async function neighbours(server: Server) {
  const [alice, bob] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
  ]);
  const roomId = await alice.createRoom({ preset: "public_chat" });
  await bob.join(roomId);
  return { alice, bob, since: await bob.syncToken() };
}

row(
  "csapi",
  TEST,
  "GET /presence/:user id/status fetches initial status",
  async (server) => {
    const alice = await server.user("alice");
    const status = await alice.mustGet(statusOf(alice));
    const known = ["online", "offline", "unavailable"];
    expect(status["presence"]).to.be.oneOf(known);
  },
);

row(
  "csapi",
  TEST,
  "PUT /presence/:user id/status updates my presence",
  async (server) => {
    const alice = await server.user("alice");
    const status = { presence: "online", status_msg: "testing something" };
    await alice.mustPut(statusOf(alice), status);
    expect(await alice.mustGet(statusOf(alice))).to.include(status);
  },
);

row("csapi", TEST, "Presence can be set from sync", async (server) => {
  const { alice, bob, since } = await neighbours(server);
  await alice.sync({ set_presence: "unavailable" });
  const expected = { presence: "unavailable" };
  await bob.syncUntil((sync) => hasPresence(sync, alice, expected), { since });
});

row(
  "csapi",
  TEST,
  "Presence changes are reported to local room members",
  async (server) => {
    const { alice, bob, since } = await neighbours(server);
    const status = { presence: "online", status_msg: "an update" };
    await alice.mustPut(statusOf(alice), status);
    await bob.syncUntil((sync) => hasPresence(sync, alice, status), { since });
  },
);

row(
  "csapi",
  TEST,
  "Presence changes to UNAVAILABLE are reported to local room members",
  async (server) => {
    const { alice, bob, since } = await neighbours(server);
    const status = { presence: "unavailable" };
    await alice.mustPut(statusOf(alice), status);
    await bob.syncUntil((sync) => hasPresence(sync, alice, status), { since });
  },
);

row("csapi", "TestPresenceSyncDifferentRooms", "", async (server) => {
  const [alice, ...others] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
    server.user("charlie"),
  ]);
  for (const other of others) {
    const invite = [other.userId];
    const roomId = await alice.createRoom({ preset: "private_chat", invite });
    await other.join(roomId);
  }
  const since = await alice.syncToken();
  const status = { presence: "online" };
  for (const other of others) await other.mustPut(statusOf(other), status);

  const seen = new Set<User>();
  await alice.syncUntil(
    (sync) => {
      for (const other of others)
        if (hasPresence(sync, other, status)) seen.add(other);
      return seen.size === others.length;
    },
    { since },
  );
});
