import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, list, object, text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { bodies, numbered, sendTexts } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

/** What was found; a server may be late to read what was said. */
const search = (
  user: User,
  criteria: JsonObject,
  isWanted: (found: JsonObject) => boolean = () => true,
  next_batch?: string,
): Promise<JsonObject> =>
  user.until(async () => {
    const body = { search_categories: { room_events: criteria } };
    const answer = await user.must("POST", "/search", {
      query: { next_batch },
      body,
    });
    return object(answer, "search_categories", "room_events");
  }, isWanted);

const resultsIn = (found: JsonObject): JsonObject[] =>
  list(found, "results").map((entry) => object(entry, "result"));

const idsIn = (found: JsonObject): string[] =>
  resultsIn(found).map((event) => text(event, "event_id"));

const hasCount = (count: number) => (found: JsonObject) =>
  found["count"] === count;

const searches = (
  name: string,
  run: (alice: User, roomId: string) => Promise<void>,
) => {
  row("csapi", "TestSearch", `parallel/${name}`, async (server) => {
    const alice = await server.user("alice");
    await run(alice, await alice.createRoom({ preset: "private_chat" }));
  });
};

searches("Can search for an event by body", async (alice, roomId) => {
  const eventId = await alice.sendText(roomId, "hello, world");
  await alice.sendText(roomId, "something else");
  const filter = { rooms: [roomId] };
  const criteria = { search_term: "hello", keys: ["content.body"], filter };
  const found = await search(alice, criteria, hasCount(1));
  expect(found["count"]).to.equal(1);
  expect(idsIn(found)).to.deep.equal([eventId]);
  const [result] = resultsIn(found);
  expect(result).to.include({ room_id: roomId, type: "m.room.message" });
  expect(at(result!, "content", "body")).to.equal("hello, world");
});

searches("Can get context around search results", async (alice, roomId) => {
  await sendTexts(alice, roomId, ...numbered("Message number", 7));
  const criteria = {
    search_term: "Message 4",
    keys: ["content.body"],
    filter: { rooms: [roomId] },
    event_context: { before_limit: 2, after_limit: 2 },
  };
  const found = await search(alice, criteria, hasCount(1));
  expect(found["count"]).to.equal(1);
  const context = object(list(found, "results")[0]!, "context");
  expect(bodies(list(context, "events_before"))).to.deep.equal([
    "Message number 3",
    "Message number 2",
  ]);
  expect(bodies(list(context, "events_after"))).to.deep.equal([
    "Message number 5",
    "Message number 6",
  ]);
  expect(text(context, "start")).not.to.equal("");
  expect(text(context, "end")).not.to.equal("");
});

searches("Can back-paginate search results", async (alice, roomId) => {
  const ids = await sendTexts(alice, roomId, ...numbered("Message number", 20));
  const criteria = {
    search_term: "Message",
    keys: ["content.body"],
    order_by: "recent",
    filter: { rooms: [roomId], limit: 10 },
  };
  const isWhole = hasCount(20);
  const first = await search(alice, criteria, isWhole);
  expect(idsIn(first)).to.deep.equal(ids.slice(10).toReversed());
  const from = text(first, "next_batch");
  const second = await search(alice, criteria, isWhole, from);
  expect(idsIn(second)).to.deep.equal(ids.slice(0, 10).toReversed());
  const end = text(second, "next_batch");
  const third = await search(alice, criteria, () => true, end);
  expect(idsIn(third)).to.deep.equal([]);
  expect(at(third, "next_batch")).to.equal(undefined);
});

searches(
  "Search works across an upgraded room and its predecessor",
  async (alice, roomId) => {
    const before = await alice.sendText(roomId, "Message before upgrade");
    const upgraded = await alice.mustPost(path`/rooms/${roomId}/upgrade`, {
      new_version: "10",
    });
    const next = text(upgraded, "replacement_room");
    const after = await alice.sendText(next, "Message after upgrade");
    const found = await search(
      alice,
      {
        search_term: "upgrade",
        keys: ["content.body"],
        filter: { rooms: [next] },
      },
      hasCount(2),
    );
    expect(idsIn(found)).to.have.members([before, after]);
  },
);

const leavesOutRedacted = (order_by: string) => {
  const name = `Search results with ${order_by} ordering do not include redacted events`;
  searches(name, async (alice, roomId) => {
    const gone = await alice.sendText(roomId, "This message is redacted");
    const stays = await alice.sendText(roomId, "This message stays");
    const target = path`/rooms/${roomId}/redact/${gone}/${alice.nextTxn()}`;
    await alice.mustPut(target, { reason: "testing" });
    const criteria = {
      search_term: "message",
      keys: ["content.body"],
      order_by,
      filter: { rooms: [roomId] },
    };
    const isDone = (found: JsonObject) => idsIn(found).length === 1;
    const found = await search(alice, criteria, isDone);
    expect(idsIn(found)).to.deep.equal([stays]);
  });
};

leavesOutRedacted("rank");
leavesOutRedacted("recent");
