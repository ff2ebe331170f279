import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { getMessages, idsOf, publicRoom } from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const V1 = "/_matrix/client/v1";

const relatedTo = (rel_type: string, event_id: string): JsonObject => ({
  "m.relates_to": { rel_type, event_id },
});

const say = (user: User, roomId: string, body: string, more: JsonObject = {}) =>
  user.send(roomId, "m.room.message", { msgtype: "m.text", body, ...more });

const reply = (user: User, roomId: string, root: string, body: string) =>
  say(user, roomId, body, relatedTo("m.thread", root));

const relationsOf = (roomId: string, eventId: string): string =>
  `${V1}${path`/rooms/${roomId}/relations/${eventId}`}`;

const idsAt = async (
  user: User,
  target: string,
  query: Record<string, string> = {},
): Promise<string[]> => idsOf(list(await user.mustGet(target, query), "chunk"));

row("csapi", "TestRelations", "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const root = await say(alice, roomId, "root");
  const threaded = await reply(alice, roomId, root, "reply");
  const dummy = await alice.send(
    roomId,
    "m.dummy",
    relatedTo("m.thread", root),
  );
  const edited = await say(alice, roomId, "* edited root", {
    "m.new_content": { msgtype: "m.text", body: "edited root" },
    ...relatedTo("m.replace", root),
  });
  const target = relationsOf(roomId, root);
  expect(await idsAt(alice, target)).to.have.members([threaded, dummy, edited]);
  expect(await idsAt(alice, `${target}/m.thread`)).to.have.members([
    threaded,
    dummy,
  ]);
  expect(await idsAt(alice, `${target}/m.thread/m.room.message`)).to.deep.equal(
    [threaded],
  );
});

/** A root and its replies, in the order in which they were sent. */
async function makeThread(user: User, roomId: string, replies: number) {
  const root = await say(user, roomId, "root");
  const ids: string[] = [];
  for (let i = 0; i < replies; i++)
    ids.push(await reply(user, roomId, root, `reply ${i}`));
  return { root, ids };
}

row("csapi", "TestRelationsPagination", "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const { root, ids } = await makeThread(alice, roomId, 10);
  const target = relationsOf(roomId, root);
  const twoPages = async (query: Record<string, string>) => {
    const first = await alice.mustGet(target, query);
    const from = text(first, "next_batch");
    return [
      ...idsOf(list(first, "chunk")),
      ...(await idsAt(alice, target, { ...query, from })),
    ];
  };
  expect(await twoPages({ limit: "3" })).to.deep.equal(
    [...ids].reverse().slice(0, 6),
  );
  expect(await twoPages({ limit: "3", dir: "f" })).to.deep.equal(
    ids.slice(0, 6),
  );
});

row("csapi", "TestRelationsPaginationSync", "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const { root, ids } = await makeThread(alice, roomId, 5);
  const to = await alice.syncToken();
  for (let i = 0; i < 5; i++) await reply(alice, roomId, root, `later ${i}`);
  const target = relationsOf(roomId, root);
  const query = { limit: "3", dir: "f", to };
  const first = await alice.mustGet(target, query);
  expect(idsOf(list(first, "chunk"))).to.deep.equal(ids.slice(0, 3));
  const from = text(first, "next_batch");
  expect(await idsAt(alice, target, { ...query, from })).to.deep.equal(
    ids.slice(3),
  );
});

row("csapi", "TestThreadsEndpoint", "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const roots = [
    await say(alice, roomId, "first root"),
    await say(alice, roomId, "second root"),
  ] as const;
  const [first, second] = roots;
  const replies = [
    await reply(alice, roomId, first, "to the first"),
    await reply(alice, roomId, second, "to the second"),
  ];
  const target = `${V1}${path`/rooms/${roomId}/threads`}`;
  const threads = async () =>
    list(await alice.mustGet(target), "chunk").map((event) => [
      at(event, "event_id"),
      at(
        event,
        "unsigned",
        "m.relations",
        "m.thread",
        "latest_event",
        "event_id",
      ),
    ]);
  expect(await threads()).to.deep.equal([
    [second, replies[1]],
    [first, replies[0]],
  ]);
  const again = await reply(alice, roomId, first, "to the first again");
  expect(await threads()).to.deep.equal([
    [first, again],
    [second, replies[1]],
  ]);
});

row("msc3874", "TestFilterMessagesByRelType", "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice);
  const from = await alice.syncToken();
  const root = await say(alice, roomId, "of no relation");
  const threaded = await reply(alice, roomId, root, "reply");
  const reference = await say(
    alice,
    roomId,
    "reference",
    relatedTo("m.reference", root),
  );
  const types = ["m.thread", "m.reference"];
  const seen = async (name: string, relTypes: string[]) => {
    const filter = JSON.stringify({ [`org.matrix.msc3874.${name}`]: relTypes });
    const page = await getMessages(alice, roomId, { dir: "f", from, filter });
    return idsOf(list(page, "chunk"));
  };
  expect(await seen("rel_types", ["m.thread"])).to.deep.equal([threaded]);
  expect(await seen("rel_types", ["m.reference"])).to.deep.equal([reference]);
  expect(await seen("rel_types", types)).to.deep.equal([threaded, reference]);
  expect(await seen("not_rel_types", ["m.thread"])).to.deep.equal([
    root,
    reference,
  ]);
  expect(await seen("not_rel_types", ["m.reference"])).to.deep.equal([
    root,
    threaded,
  ]);
  expect(await seen("not_rel_types", types)).to.deep.equal([root]);
});
