import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { contentOf, getEvent, publicRoom } from "../harness/rooms.ts";

row("csapi", "TestRedact", "Event content is redacted", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const content = { msgtype: "m.text", body: "expected message body" };
  const eventId = await alice.send(roomId, "m.room.message", content);
  const before = await getEvent(bob, roomId, eventId);
  expect(contentOf(before.body)).to.deep.equal(content);

  const target = path`/rooms/${roomId}/redact/${eventId}/${alice.nextTxn()}`;
  await alice.mustPut(target, { reason: "reasons..." });
  const after = await getEvent(bob, roomId, eventId);
  expect(contentOf(after.body)).to.deep.equal({});
  const because = at(after.body, "unsigned", "redacted_because");
  expect(at(because, "content", "reason")).to.equal("reasons...");
});
