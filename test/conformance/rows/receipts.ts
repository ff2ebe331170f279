import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, isObject, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import { ephemeral, findEvent, roomAccountData } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

async function withMessage(server: Server) {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom({ preset: "public_chat" });
  return { alice, roomId, eventId: await alice.sendText(roomId, "hello") };
}

const hasReceipt = (
  sync: JsonObject,
  roomId: string,
  eventId: string,
  user: User,
): boolean => {
  const content = findEvent(ephemeral(sync, roomId), "m.receipt")?.["content"];
  return isObject(at(content, eventId, "m.read", user.userId));
};

row(
  "csapi",
  "TestRoomReceipts",
  "Receipts DO NOT include a `room id` field",
  async (server) => {
    const { alice, roomId, eventId } = await withMessage(server);
    const since = await alice.syncToken();
    await alice.mustPost(path`/rooms/${roomId}/receipt/m.read/${eventId}`);
    for (const from of [since, undefined]) {
      const sync = await alice.syncUntil(
        (seen) => hasReceipt(seen, roomId, eventId, alice),
        { since: from },
      );
      const event = findEvent(ephemeral(sync, roomId), "m.receipt") ?? {};
      expect(event).to.not.have.property("room_id");
      const receipt = at(
        event,
        "content",
        eventId,
        "m.read",
        alice.userId,
        "ts",
      );
      expect(receipt).to.be.a("number");
    }
  },
);

row("csapi", "TestRoomReadMarkers", "", async (server) => {
  const { alice, roomId, eventId } = await withMessage(server);
  await alice.mustPost(path`/rooms/${roomId}/read_markers`, {
    "m.fully_read": eventId,
    "m.read": eventId,
  });
  const sync = await alice.syncUntil((seen) =>
    hasReceipt(seen, roomId, eventId, alice),
  );
  const marker = findEvent(roomAccountData(sync, roomId), "m.fully_read");
  expect(at(marker, "content", "event_id")).to.equal(eventId);
});
