import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { at, isObject, text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import { isInvitedIn, isJoinedIn, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const TARGET = "/_synapse/admin/v1/send_server_notice";

const noticeTo = ({ userId }: User, body = "hello alert"): JsonObject => ({
  user_id: userId,
  content: { msgtype: "m.text", body },
});

const serverNotices = (
  name: string,
  run: (scene: { admin: User; alice: User; server: Server }) => Promise<void>,
) =>
  row("csapi", "TestServerNotices", name, async (server) => {
    const admin = await server.user("admin", { admin: true });
    const alice = await server.user("alice");
    await run({ admin, alice, server });
  });

const tell = async (admin: User, alice: User): Promise<string> => {
  const answer = await admin.post(TARGET, noticeTo(alice));
  expect(answer.status, answer.raw).to.equal(200);
  return text(answer.body, "event_id");
};

/** The one room that the user is invited to. */
async function invitedTo(user: User): Promise<string> {
  const sync = await user.syncUntil(
    (each) => Object.keys(invitesOf(each)).length > 0,
  );
  const rooms = Object.keys(invitesOf(sync));
  expect(rooms).to.have.length(1);
  return rooms[0]!;
}

function invitesOf(sync: JsonObject): JsonObject {
  const invites = at(sync, "rooms", "invite");
  return isObject(invites) ? invites : {};
}

serverNotices(
  "/send server notice is not allowed as normal user",
  async ({ alice }) => {
    expectError(await alice.post(TARGET, noticeTo(alice)), 403, "M_FORBIDDEN");
  },
);

serverNotices(
  "/send server notice as an admin is allowed",
  async ({ admin, alice }) => {
    expect(await tell(admin, alice)).to.match(/^\$/);
  },
);

serverNotices(
  "Alice is invited to the server alert room",
  async ({ admin, alice }) => {
    await tell(admin, alice);
    await invitedTo(alice);
  },
);

serverNotices("Alice cannot reject the invite", async ({ admin, alice }) => {
  await tell(admin, alice);
  const roomId = await invitedTo(alice);
  const answer = await alice.post(
    `/rooms/${encodeURIComponent(roomId)}/leave`,
    {},
  );
  expectError(answer, 403, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM");
});

serverNotices("Alice can join the alert room", async ({ admin, alice }) => {
  const eventId = await tell(admin, alice);
  const roomId = await invitedTo(alice);
  await alice.join(roomId);
  const sync = await alice.syncUntil((each) => isJoinedIn(each, roomId));
  const ids = timeline(sync, roomId).map((event) => event["event_id"]);
  expect(ids).to.include(eventId);
});

serverNotices(
  "Alice can leave the alert room, after joining it",
  async ({ admin, alice }) => {
    await tell(admin, alice);
    const roomId = await invitedTo(alice);
    await alice.join(roomId);
    await alice.leave(roomId);
  },
);

serverNotices(
  "After leaving the alert room and on re-invitation, no new room is created",
  async ({ admin, alice }) => {
    await tell(admin, alice);
    const roomId = await invitedTo(alice);
    await alice.join(roomId);
    await alice.leave(roomId);
    await tell(admin, alice);
    await alice.syncUntil((each) => isInvitedIn(each, roomId));
    expect(await invitedTo(alice)).to.equal(roomId);
  },
);

serverNotices(
  "Sending a notice with a transactionID is idempotent",
  async ({ admin, alice }) => {
    const target = `${TARGET}/${admin.nextTxn()}`;
    const first = await admin.put(target, noticeTo(alice));
    expect(first.status, first.raw).to.equal(200);
    const second = await admin.put(target, noticeTo(alice));
    expect(second.body).to.deep.equal(first.body);
  },
);
