import { expect } from "chai";
import { passwordStage } from "../harness/auth.ts";
import { at, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import { hasEvent, timeline } from "../harness/sync.ts";
import { User } from "../harness/user.ts";

const message = (body: string) => ({ msgtype: "m.text", body });

/** The transaction id that this session sees on an event in sync. */
async function seenTxn(
  user: User,
  roomId: string,
  eventId: string,
): Promise<unknown> {
  const sync = await user.syncUntil((seen) =>
    hasEvent(timeline(seen, roomId), eventId),
  );
  const event = timeline(sync, roomId).find(
    (found) => found["event_id"] === eventId,
  );
  return at(event, "unsigned", "transaction_id");
}

row("csapi", "TestTxnInEvent", "", async (server) => {
  const alice = await server.user("txn");
  const roomId = await alice.createRoom();
  const txnId = alice.nextTxn();
  const eventId = await alice.send(
    roomId,
    "m.room.message",
    message("one"),
    txnId,
  );
  expect(await seenTxn(alice, roomId, eventId)).to.equal(txnId);
});

row("csapi", "TestTxnScopeOnLocalEcho", "", async (server) => {
  const first = await server.user("txn");
  const second = await server.login(first);
  const roomId = await first.createRoom();
  const txnId = first.nextTxn();
  const eventId = await first.send(
    roomId,
    "m.room.message",
    message("one"),
    txnId,
  );
  expect(await seenTxn(first, roomId, eventId)).to.equal(txnId);
  expect(await seenTxn(second, roomId, eventId)).to.equal(undefined);
});

row("csapi", "TestTxnIdempotencyScopedToDevice", "", async (server) => {
  const first = await server.user("txn");
  const second = await server.login(first);
  const roomId = await first.createRoom();
  const content = message("the same of two devices");
  const [one, two] = await Promise.all(
    [first, second].map((user) =>
      user.send(roomId, "m.room.message", content, "scoped"),
    ),
  );
  expect(one).to.not.equal(two);
});

row("csapi", "TestTxnIdempotency", "", async (server) => {
  const alice = await server.user("txn");
  const roomId = await alice.createRoom();
  const otherRoom = await alice.createRoom();
  const send = (room: string, body: string) =>
    alice.send(room, "m.room.message", message(body), "abc");

  const eventId = await send(roomId, "first");
  expect(await send(roomId, "first")).to.equal(eventId);
  expect(await send(roomId, "second")).to.equal(eventId, "other content");
  expect(await send(otherRoom, "first")).to.not.equal(eventId, "other room");

  const sync = await alice.sync();
  const bodies = timeline(sync, roomId).map((event) =>
    at(event, "content", "body"),
  );
  expect(bodies.filter(Boolean)).to.deep.equal(["first"]);
});

row("csapi", "TestSendMessageWithTxn", "", async (server) => {
  const alice = await server.user("txn");
  const roomId = await alice.createRoom();
  const send = () =>
    alice.send(roomId, "m.room.message", message("test"), "lorem");
  const ids = new Set([await send(), await send(), await send()]);
  expect(ids.size).to.equal(1);
  const sync = await alice.sync();
  const sent = timeline(sync, roomId).filter(
    (event) => event["type"] === "m.room.message",
  );
  expect(sent).to.have.lengthOf(1);
});

/** A session that holds a refresh token, and the same session after it was used. */
async function refreshed(server: Server) {
  const { userId, password } = await server.user("txn");
  const login = await server.post("/login", {
    ...passwordStage(userId, password),
    refresh_token: true,
  });
  const before = server.userOf(login, password);
  const refresh = async () => {
    const body = await server.mustPost("/refresh", {
      refresh_token: text(login.body, "refresh_token"),
    });
    const token = text(body, "access_token");
    const { deviceId } = before;
    return new User(server.baseUrl, { userId, password, deviceId, token });
  };
  return { before, refresh };
}

row("csapi", "TestTxnIdWithRefreshToken", "", async (server) => {
  const { before, refresh } = await refreshed(server);
  const roomId = await before.createRoom();
  const txnId = "abcdef";
  const eventId = await before.send(
    roomId,
    "m.room.message",
    message("first"),
    txnId,
  );
  const after = await refresh();
  expect(after.token).to.not.equal(before.token);
  expect(await seenTxn(after, roomId, eventId)).to.equal(txnId);
  const again = await after.send(
    roomId,
    "m.room.message",
    message("first"),
    txnId,
  );
  expect(again).to.equal(eventId);
});
