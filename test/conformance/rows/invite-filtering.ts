import { expect } from "chai";
import { path } from "../harness/client.ts";
import type { JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { act, syncInvited, syncJoined } from "../harness/rooms.ts";
import { isInvitedIn } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const TYPE = "org.matrix.msc4155.invite_permission_config";

type Rules = (inviter: User) => JsonObject;
type Outcome = "allowed" | "ignored" | "blocked";

async function invite(alice: User, bob: User, outcome: Outcome): Promise<void> {
  const roomId = await alice.createRoom({ preset: "private_chat" });
  const answer = await act(alice, roomId, "invite", { user_id: bob.userId });
  if (outcome === "blocked") {
    expect(answer.status).to.equal(403);
    expect(answer.body["errcode"]).to.match(/M_INVITE_BLOCKED$/);
    return;
  }
  expect(answer.status, answer.raw).to.equal(200);
  if (outcome === "allowed") {
    await syncInvited(bob, roomId);
    return;
  }
  // What was done after the invite is there: so would the invite be.
  const own = await bob.createRoom();
  const sync = await syncJoined(bob, own);
  expect(isInvitedIn(sync, roomId)).to.equal(false);
}

const filters = (name: string, outcome: Outcome, ...all: Rules[]) => {
  row("msc4155", "TestInviteFiltering", name, async (server) => {
    const bob = await server.user("bob");
    for (const rules of all) {
      const alice = await server.user("alice");
      const target = path`/user/${bob.userId}/account_data/${TYPE}`;
      await bob.mustPut(target, rules(alice));
      await invite(alice, bob, outcome);
    }
  });
};

const start = (user: User) => `@${user.localpart.slice(0, -1)}*:*`;
const server = (user: User) => [user.serverName];
const serverGlob = (user: User) => [`${user.serverName.slice(0, -1)}*`];

filters("Can invite users normally without any rules", "allowed", () => ({}));
filters("Can block a single user", "blocked", (alice) => ({
  blocked_users: [alice.userId],
}));
filters("Can ignore a single user", "ignored", (alice) => ({
  ignored_users: [alice.userId],
}));
filters("Can block a whole server", "blocked", (alice) => ({
  blocked_servers: server(alice),
}));
filters("Can ignore a whole server", "ignored", (alice) => ({
  ignored_servers: server(alice),
}));
filters("Can glob serveral users", "blocked", (alice) => ({
  blocked_users: [start(alice)],
}));
filters("Can glob serveral servers", "blocked", (alice) => ({
  blocked_servers: serverGlob(alice),
}));
filters("Can allow a user from a blocked server", "allowed", (alice) => ({
  allowed_users: [alice.userId],
  blocked_servers: server(alice),
}));
filters("Can block a user from an allowed server", "blocked", (alice) => ({
  allowed_servers: server(alice),
  blocked_users: [alice.userId],
}));
filters(
  "Will allow users when a user appears in multiple fields",
  "allowed",
  (alice) => ({
    allowed_users: [alice.userId],
    ignored_users: [alice.userId],
    blocked_users: [alice.userId],
  }),
);
filters("Will ignore null fields", "allowed", () => ({
  allowed_users: null,
  ignored_users: null,
  blocked_users: null,
  allowed_servers: null,
  ignored_servers: null,
  blocked_servers: null,
}));
