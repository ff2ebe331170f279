import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import {
  getMessages,
  makeRoom,
  must,
  path,
  say,
  send,
} from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Answer, Json, TestUser } from "../support/server.ts";
import { SyncReader } from "../support/sync-reader.ts";

const stars = "*a".repeat(28) + "b";
const deep = (depth: number): unknown =>
  JSON.parse(`${'{"room":'.repeat(depth)}{}${"}".repeat(depth)}`);
const of = (count: number, text: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => text(i));

/** Event filters that ask for more than there is, or for what is none. */
const ADVERSARIAL: readonly unknown[] = [
  ...[1e9, 2 ** 53 - 1, 0, -1, 1.5, "10", null, true, [], {}].map((limit) => ({
    limit,
  })),
  ...[1e9, -1e9, 2 ** 53, 1e300].map((limit) => ({ limit, types: ["*"] })),
  ...[
    "types",
    "not_types",
    "senders",
    "not_senders",
    "rooms",
    "not_rooms",
  ].flatMap((name) => [
    { [name]: of(10_000, (i) => `@!m.${i}`) },
    { [name]: of(500, (i) => `${stars}${i}`) },
    { [name]: ["\0", "@a\0:test", "!a\0"] },
    { [name]: ["@'; drop table events; --:test"] },
    { [name]: [null, 1, {}] },
    { [name]: "m.room.message" },
    { [name]: { __proto__: null, length: 5 } },
  ]),
  ...["related_by_rel_types", "related_by_senders"].flatMap((name) => [
    { [name]: of(10_000, (i) => `@m.${i}`) },
    { [name]: ["@\0", "\0"] },
    { [name]: [stars] },
  ]),
  { types: ["*".repeat(4_000)] },
  { types: [`${"*?".repeat(2_000)}b`] },
  { types: ["(a+)+$", "[", "\\", "^", "m.room.(message|x)"] },
  { contains_url: "yes" },
  { lazy_load_members: 1 },
  deep(50),
  [],
  "m.room.message",
  7,
];

describe("adversarial filters and limits", () => {
  const server = useServer();
  let alice: TestUser;
  let roomId: string;

  before(async () => {
    alice = await server.user("alice");
    roomId = await makeRoom(alice);
    await Promise.all(
      of(1_100, String).map((text) => say(alice, roomId, text)),
    );
    await Promise.all(
      of(5, String).map((i) => send(alice, roomId, "a".repeat(250) + i, {})),
    );
  });

  const inUrl = (filter: unknown) => encodeURIComponent(JSON.stringify(filter));

  /** A filter's way through every endpoint that takes one. */
  async function askAll(filter: unknown): Promise<Answer[]> {
    const whole = { room: { timeline: filter, state: filter } };
    const stored = await alice.post(path`/user/${alice.userId}/filter`, whole);
    const id = stored.body["filter_id"];
    const event = await lastEvent();
    const inline = inUrl(filter).length < 12_000 ? inUrl(filter) : undefined;
    const room = path`/rooms/${roomId}`;
    const targets = [
      ...(typeof id === "string" ? [`/sync?filter=${id}`] : []),
      ...(inline === undefined
        ? []
        : [
            `${room}/messages?dir=b&filter=${inline}`,
            `${room}${path`/context/${event}`}?filter=${inline}`,
          ]),
      ...(inUrl(whole).length < 12_000 ? [`/sync?filter=${inUrl(whole)}`] : []),
    ];
    return [
      stored,
      ...(await Promise.all(targets.map((target) => alice.get(target)))),
    ];
  }

  const lastEvent = async () =>
    (await getMessages(alice, roomId, { dir: "b", limit: 1 })).chunk[0]!
      .event_id;

  it("row 64: any of fifty is answered or refused, in little time", async () => {
    expect(ADVERSARIAL.length).to.be.above(50);
    for (const filter of ADVERSARIAL) {
      const label = JSON.stringify(filter).slice(0, 200);
      const cpu = process.cpuUsage();
      for (const { status, text } of await askAll(filter))
        expect(status, `${label} ${text.slice(0, 200)}`).to.be.oneOf([
          200, 400, 404, 413, 431,
        ]);
      const { user, system } = process.cpuUsage(cpu);
      expect((user + system) / 1000, label).to.be.below(2_000);
    }
  }).timeout(60_000);

  it("row 64: refuses a filter above 64 KiB, and keeps no more than 100 of a user", async () => {
    const target = path`/user/${alice.userId}/filter`;
    const large = { room: { rooms: of(900, (i) => `!${"x".repeat(80)}${i}`) } };
    expect((await alice.post(target, large)).status).to.equal(413);
    const store = (type: string) =>
      alice.post(target, { event_fields: [type] });
    await Promise.all(of(120, String).map(store));
    // Who stores at the same time does not see the others; the next one does.
    must(await store("last"));
    const [{ count }] = (await server.database
      .sql`select count(*)::int as count from filters where user_id = ${alice.userId}`) as unknown as [
      { count: number },
    ];
    expect(count).to.be.at.most(100);
  });

  it("row 64: are remembered within bounds, by what they take", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heapMb = () => {
      collect();
      collect();
      return process.memoryUsage().heapUsed / 2 ** 20;
    };
    let count = 0;
    // No text stands twice, or they would share it.
    const list = () => of(800, () => `!${(count += 1).toString(36)}`);
    const largest = () => ({
      room: {
        rooms: list(),
        not_rooms: list(),
        timeline: { rooms: list(), not_rooms: list() },
        state: { rooms: list(), not_rooms: list() },
        ephemeral: { rooms: list() },
      },
    });
    const since = (await new SyncReader(alice).next()).next_batch;
    const before = heapMb();
    for (let i = 0; i < 400; i += 1) {
      const stored = await alice.post(
        path`/user/${alice.userId}/filter`,
        largest(),
      );
      const id = must<{ filter_id: string }>(stored).filter_id;
      must(await alice.get(`/sync?since=${since}&filter=${id}`));
    }
    expect(heapMb() - before).to.be.below(50);
  }).timeout(60_000);

  for (const limit of [1_000_000_000, 9_007_199_254_740_991]) {
    it(`row 66: a limit of ${limit} gives 1,000 events at the most`, async () => {
      const query = { dir: "b", limit };
      const { chunk } = await getMessages(alice, roomId, query);
      expect(chunk).to.have.length(1_000);
      const event = await lastEvent();
      const around = must<{ events_before: Json[]; events_after: Json[] }>(
        await alice.get(
          `${path`/rooms/${roomId}/context/${event}`}?limit=${limit}`,
        ),
      );
      const { events_before, events_after } = around;
      expect(events_before.length + events_after.length).to.be.within(1, 1_000);
      const filter = { room: { timeline: { limit } } };
      const first = await new SyncReader(alice, { filter }).next();
      const { events, limited } = first.rooms.join[roomId]!.timeline;
      expect([events.length, limited]).to.deep.equal([1_000, true]);
      must(await alice.post("/publicRooms", { limit }));
      must(await server.get(`/publicRooms?limit=${limit}`));
    });
  }

  it("row 66: an endless timeout is cut, and a negative one is none", async () => {
    const since = (await new SyncReader(alice).next()).next_batch;
    const started = performance.now();
    must(await alice.get(`/sync?since=${since}&timeout=-1`));
    expect(performance.now() - started).to.be.below(5_000);
    for (const timeout of ["1e9", "99999999999999999999", "x", "1.5"]) {
      const answer = await alice.get(`/sync?since=${since}&timeout=${timeout}`);
      expect(answer.status, timeout).to.equal(400);
    }
  });
});
