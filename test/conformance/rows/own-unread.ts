import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, type JsonObject } from "../harness/json.ts";
import { ownRows, type Pair } from "../harness/own-rows.ts";
import { ephemeral } from "../harness/sync.ts";

const unread = ownRows("unread counts");

/** A room of more than two, so that the rules for direct chats stay out of it. */
async function room({ server, alice, bob }: Pair) {
  const roomId = await alice.createRoom({ preset: "public_chat" });
  const carol = await server.user("carol");
  for (const user of [bob, carol]) await user.join(roomId);

  /** Bob's counts once he has seen an event. */
  const counts = async () => {
    const sync = await bob.sync();
    const found = at(sync, "rooms", "join", roomId, "unread_notifications");
    return [at(found, "notification_count"), at(found, "highlight_count")];
  };
  const say = (more: JsonObject = {}) =>
    alice.send(roomId, "m.room.message", {
      msgtype: "m.text",
      body: "hello",
      ...more,
    });
  return { roomId, counts, say };
}

unread("messages of others count, one's own do not", async (pair) => {
  const { roomId, counts, say } = await room(pair);
  expect(await counts()).to.deep.equal([0, 0]);
  await pair.bob.sendText(roomId, "my own");
  expect(await counts()).to.deep.equal([0, 0]);
  await say();
  await say();
  expect(await counts()).to.deep.equal([2, 0]);
});

unread("a mention is a highlight", async (pair) => {
  const { counts, say } = await room(pair);
  await say({ "m.mentions": { user_ids: [pair.bob.userId] } });
  await say({ "m.mentions": { user_ids: [pair.alice.userId] } });
  expect(await counts()).to.deep.equal([2, 1]);
});

unread("@room highlights only with the power to notify", async (pair) => {
  const { roomId, counts, say } = await room(pair);
  const mention = { "m.mentions": { room: true } };
  await say(mention);
  expect(await counts()).to.deep.equal([1, 1]);
  const powerless = await pair.server.user("dave");
  await powerless.join(roomId);
  const content = { msgtype: "m.text", body: "all!", ...mention };
  await powerless.send(roomId, "m.room.message", content);
  expect(await counts()).to.deep.equal([2, 1]);
});

unread("an edit does not count, nor does a notice", async (pair) => {
  const { counts, say } = await room(pair);
  const eventId = await say();
  await say({
    "m.new_content": { msgtype: "m.text", body: "hullo" },
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
  });
  await say({ msgtype: "m.notice" });
  expect(await counts()).to.deep.equal([1, 0]);
});

for (const type of ["m.read", "m.read.private"])
  unread(`an ${type} receipt takes away what it covers`, async (pair) => {
    const { roomId, counts, say } = await room(pair);
    const first = await say({
      "m.mentions": { user_ids: [pair.bob.userId] },
    });
    await say();
    expect(await counts()).to.deep.equal([2, 1]);
    await pair.bob.mustPost(path`/rooms/${roomId}/receipt/${type}/${first}`);
    expect(await counts()).to.deep.equal([1, 0]);
  });

unread("a private receipt is told to its sender alone", async (pair) => {
  const { alice, bob } = pair;
  const { roomId, say } = await room(pair);
  const eventId = await say();
  const receipt = path`/rooms/${roomId}/receipt/m.read.private/${eventId}`;
  await bob.mustPost(receipt);
  const shown = (sync: JsonObject) =>
    JSON.stringify(ephemeral(sync, roomId)).includes("m.read.private");
  await bob.syncUntil(shown);
  expect(shown(await alice.sync())).to.equal(false);
});

unread("a muted room counts nothing", async (pair) => {
  const { roomId, counts, say } = await room(pair);
  await pair.bob.mustPut(path`/pushrules/global/override/${roomId}`, {
    actions: [],
    conditions: [{ kind: "event_match", key: "room_id", pattern: roomId }],
  });
  await say();
  await say({ "m.mentions": { user_ids: [pair.bob.userId] } });
  expect(await counts()).to.deep.equal([0, 0]);
});
