import { expect } from "chai";
import { path } from "../harness/client.ts";
import { list, text, type JsonObject } from "../harness/json.ts";
import { ownRows, type Pair } from "../harness/own-rows.ts";
import { publicRoom, sendTexts } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const notifications = ownRows("notifications");

const listOf = async (
  user: User,
  query: Record<string, string | number> = {},
): Promise<JsonObject[]> =>
  list(await user.mustGet("/notifications", query), "notifications");

const idsIn = (found: JsonObject[]): string[] =>
  found.map((entry) => text(entry, "event", "event_id"));

/** A room of more than two, in which nothing was said. */
async function arrange({ server, alice, bob }: Pair): Promise<string> {
  const roomId = await publicRoom(alice);
  for (const user of [bob, await server.user("carol")]) await user.join(roomId);
  return roomId;
}

const mention = (user: User): JsonObject => ({
  msgtype: "m.text",
  body: "hello you",
  "m.mentions": { user_ids: [user.userId] },
});

notifications("are listed, newest first, with what they do", async (pair) => {
  const { alice, bob } = pair;
  const roomId = await arrange(pair);
  const [first] = await sendTexts(bob, roomId, "one");
  const second = await bob.send(roomId, "m.room.message", mention(alice));
  await alice.sendText(roomId, "her own");
  // Her own message has read what was before.
  const third = await bob.sendText(roomId, "two");
  const found = await alice.until(
    () => listOf(alice),
    (entries) => entries.length >= 3,
  );
  expect(idsIn(found)).to.deep.equal([third, second, first]);
  for (const entry of found) {
    expect(entry["room_id"]).to.equal(roomId);
    expect(entry["ts"]).to.be.a("number");
    expect(entry["actions"]).to.deep.include("notify");
  }
  expect(found[0]?.["read"]).to.equal(false);
});

notifications("are read by a receipt", async (pair) => {
  const { alice, bob } = pair;
  const roomId = await arrange(pair);
  const [first, second] = await sendTexts(bob, roomId, "one", "two");
  await alice.mustPost(path`/rooms/${roomId}/receipt/m.read/${first!}`);
  const found = await alice.until(
    () => listOf(alice),
    (entries) => entries.some((entry) => entry["read"] === true),
  );
  const read = found.map((entry) => [
    text(entry, "event", "event_id"),
    entry["read"],
  ]);
  expect(read).to.deep.equal([
    [second, false],
    [first, true],
  ]);
});

notifications("come in pages, and highlights alone", async (pair) => {
  const { alice, bob } = pair;
  const roomId = await arrange(pair);
  const [first, second] = await sendTexts(bob, roomId, "one", "two");
  const third = await bob.send(roomId, "m.room.message", mention(alice));
  await alice.until(
    () => listOf(alice),
    (entries) => entries.length === 3,
  );
  const page = await alice.mustGet("/notifications", { limit: 2 });
  expect(idsIn(list(page, "notifications"))).to.deep.equal([third, second]);
  const from = text(page, "next_token");
  expect(idsIn(await listOf(alice, { from }))).to.deep.equal([first]);
  const highlights = await listOf(alice, { only: "highlight" });
  expect(idsIn(highlights)).to.deep.equal([third]);
});
