import { expect } from "chai";
import { endpoints } from "../../src/http/endpoints.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { administrator, bindRole } from "../support/administrators.ts";
import { makeRoom, must, path, say, send } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Answer, Json, TestUser } from "../support/server.ts";
import { SyncReader } from "../support/sync-reader.ts";
import { bodyFor, endpointsWithBody, nameOf, pathTo } from "./requests.ts";
import type { Place } from "./requests.ts";

const nested = (open: string, close: string, depth: number) =>
  `{"a":${open.repeat(depth)}1${close.repeat(depth)}}`;
const manyKeys = (count: number) =>
  `{${Array.from({ length: count }, (_, i) => `"k${i}":0`).join(",")}}`;

/** Bodies that no endpoint takes, by the row that names them. */
const REFUSED: readonly (readonly [row: string, text: string])[] = [
  ["C1 CVE-2020-26890 NaN", '{"a":NaN}'],
  ["C1 CVE-2020-26890 Infinity", '{"a":Infinity}'],
  ["C1 CVE-2020-26890 -Infinity", '{"a":-Infinity}'],
  ["row 38 deep lists", nested("[", "]", 50_000)],
  ["row 38 deep objects", nested('{"a":', "}", 8_000)],
  ["row 38 lists that do not close", "[".repeat(100_000)],
  ["row 39 keys", manyKeys(100_000)],
  ["row 41 a lone surrogate", '{"a":"\\ud800"}'],
  ["row 41 a lone surrogate in a key", '{"\\udc00":1}'],
  ["row 43 1e400", '{"a":1e400}'],
  ["row 43 -1e400", '{"a":[-1e400]}'],
  ["a list", "[]"],
  ["null", "null"],
  ["a text", '"x"'],
  ["half an object", '{"a":'],
  ["two objects", "{}{}"],
  ["bytes that are no UTF-8", '{"a":"\xff\xfe"}'],
  ["a NUL byte", '{"a":"\0"}'],
];

/** Members that a body of any shape may also hold. */
const ODD = `"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":{},
  "hasOwnProperty":1,"toString":1,"valueOf":null,"then":1,"length":-1,"nul\\u0000":"\\u0000","big":9007199254740993,
  "minus":-0,"float":1.5e-7,"astral":"😀\\uffff\\u202e","":"","2":2,"10":10`;

/** What a member that should be something else may be. */
const WRONG: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  9007199254740992,
  "",
  "\0",
  "@a\0:test",
  "!a\0:test",
  "#a\0:test",
  "$a\0",
  "😀\u202e\r\n\u001b[31m",
  "'; drop table users; --",
  "x".repeat(70_000),
  [],
  [[]],
  {},
  { constructor: 1, toString: 1 },
  ["\0", null, 1],
];

/** Keys that a member may have instead of its own. */
const KEYS: readonly string[] = [
  "\0",
  "@a\0:test",
  "signed_x:\0",
  "",
  "__proto__",
];

/** Each member of a body, at any depth, with a way to put another in its place. */
function* membersOf(
  value: unknown,
  replace: (other: unknown) => unknown = (other) => other,
): Generator<(other: unknown) => unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const set = (other: unknown) =>
      replace(
        Array.isArray(value)
          ? value.with(Number(key), other)
          : { ...value, [key]: other },
      );
    yield set;
    yield* membersOf(inner, set);
  }
}

/** The body with each of its keys, at any depth, called otherwise. */
function* renamedIn(
  value: unknown,
  replace: (other: unknown) => unknown = (other) => other,
): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) {
      const others = Object.entries(value).filter(([name]) => name !== key);
      for (const name of KEYS)
        yield replace(Object.fromEntries([...others, [name, inner]]));
    }
    yield* renamedIn(inner, (other) =>
      replace(
        Array.isArray(value)
          ? value.with(Number(key), other)
          : { ...value, [key]: other },
      ),
    );
  }
}

describe("hostile JSON", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    // Administrators' endpoints read the bodies of nobody else.
    alice = await administrator(server, "alice", "security-admin");
    for (const role of [
      ...["auditor", "system-admin", "privacy-officer", "compliance-officer"],
    ])
      await bindRole(server, alice.userId, role);
  });

  /** A room of its own for each endpoint: some of them leave it. */
  const newPlace = async (): Promise<Place> => {
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    const { userId, deviceId } = alice;
    const eventId = await say(alice, roomId, "a");
    return { roomId, eventId, userId, deviceId, alias: "#a:test" };
  };

  const ask = (endpoint: Endpoint, place: Place, body: string | Buffer) =>
    alice.ask(endpoint.method.toUpperCase(), pathTo(endpoint, place), body);

  const isPolluted = () =>
    "polluted" in {} || "polluted" in [] || "polluted" in (() => 0);

  it("knows a body for every endpoint that reads one", () => {
    expect(endpointsWithBody.length).to.be.above(40);
    const place = { roomId: "", eventId: "", userId: "", deviceId: "" };
    for (const endpoint of endpoints)
      expect(() => bodyFor(endpoint, { ...place, alias: "" })).to.not.throw();
  });

  for (const [row, text] of REFUSED) {
    it(`${row}: is refused by every endpoint`, async () => {
      const place = await newPlace();
      for (const endpoint of endpointsWithBody) {
        const bytes = Buffer.from(
          text,
          row.includes("UTF-8") ? "latin1" : "utf8",
        );
        const answer = await ask(endpoint, place, bytes);
        const label = `${nameOf(endpoint)}: ${answer.text}`;
        expect(answer.status, label).to.be.oneOf([400, 413]);
      }
    });
  }

  it("rows 42, 43, 45, CVE-2022-36059 CVE-2022-36060 CVE-2023-28427: odd keys and numbers harm no endpoint", async () => {
    for (const endpoint of endpointsWithBody) {
      const place = await newPlace();
      const valid = JSON.stringify(bodyFor(endpoint, place)).slice(1, -1);
      const odd = valid === "" ? `{${ODD}}` : `{${valid},${ODD}}`;
      const answer = await ask(endpoint, place, odd);
      expect(answer.status, `${nameOf(endpoint)}: ${answer.text}`).to.be.below(
        500,
      );
      expect(isPolluted(), nameOf(endpoint)).to.equal(false);
    }
  });

  it("C2 CVE-2021-21393 CVE-2021-21394: any other value in the place of any member harms no endpoint", async () => {
    let asked = 0;
    const errors: string[] = [];
    for (const endpoint of endpointsWithBody) {
      const place = await newPlace();
      const valid = bodyFor(endpoint, place);
      const bodies = [
        ...[...membersOf(valid)].flatMap((set) => WRONG.map(set)),
        ...renamedIn(valid),
      ].map((body) => JSON.stringify(body));
      const answers = await Promise.all(
        bodies.map((body) => ask(endpoint, place, body)),
      );
      asked += answers.length;
      answers.forEach(({ status }, i) => {
        if (status >= 500)
          errors.push(`${nameOf(endpoint)} ${bodies[i]!.slice(0, 500)}`);
      });
    }
    expect(errors).to.deep.equal([]);
    expect(asked).to.be.above(1_500);
    expect(isPolluted()).to.equal(false);
    await new SyncReader(alice).next();
    expect((await server.get("/login")).status).to.equal(200);
  }).timeout(180_000);

  const content = `{"__proto__":{"polluted":1},"constructor":{"x":1},"toString":"t","nul":"a\\u0000b","k\\u0000":1,
    "2":"two","10":"ten","😀":"astral","\\uffff":"last","-0":-0,"big":9007199254740991,"small":-9007199254740991,
    "twice":1,"twice":2,"deep":${"[".repeat(90)}${"]".repeat(90)}}`;

  /** The same as `JSON.parse` reads it, by texts: no object can hold `__proto__` by chance. */
  const expectSame = (answer: Answer, got: unknown, label: string) => {
    const expected = JSON.parse(content.replace('-0":-0', '-0":0')) as Json;
    const keys = Object.keys(got as Json).filter((key) => key !== "redacts");
    expect(keys.sort(), label).to.deep.equal(Object.keys(expected).sort());
    for (const key of keys)
      expect(
        JSON.stringify((got as Json)[key]),
        `${label} ${key}: ${answer.text}`,
      ).to.equal(JSON.stringify(expected[key]));
  };

  it("rows 42, 44, 45: keeps odd content of events, whole, wherever it is read", async () => {
    const roomId = await makeRoom(alice);
    const sent = await alice.put(path`/rooms/${roomId}/send/m.odd/1`, content);
    const eventId = must<{ event_id: string }>(sent).event_id;
    const target = path`/rooms/${roomId}/state/${"m.odd"}/${"key"}`;
    must(await alice.put(target, content));
    for (const client of [alice, (await server.startProcess()).as(alice)]) {
      const event = await client.get(path`/rooms/${roomId}/event/${eventId}`);
      expectSame(event, event.body["content"], "event");
      const state = await client.get(target);
      expectSame(state, state.body, "state");
      const page = await client.get(
        `${path`/rooms/${roomId}/messages`}?dir=b&limit=5`,
      );
      const chunk = page.body["chunk"] as Json[];
      for (const shown of chunk.filter(({ type }) => type === "m.odd"))
        expectSame(page, shown["content"], "messages");
      const all = await client.get("/sync");
      expect(all.text).to.include(eventId);
    }
    expect(isPolluted()).to.equal(false);
  });

  it("rows 42, 45: keeps odd account data, profiles, filters, to-device messages and push rules whole", async () => {
    const { userId, deviceId } = alice;
    const data = path`/user/${userId}/account_data/${"m.odd"}`;
    must(await alice.put(data, content));
    const read = await alice.get(data);
    expectSame(read, read.body, "account data");

    const profile = path`/profile/${userId}/${"m.odd"}`;
    must(await alice.put(profile, `{"m.odd":${content}}`));
    const shown = await alice.get(profile);
    expectSame(shown, shown.body["m.odd"], "profile");

    const to = JSON.stringify({ [userId]: { [deviceId]: 0 } });
    const message = `{"messages":${to.replace(":0}", `:${content}}`)}}`;
    must(await alice.put("/sendToDevice/m.odd/1", message));
    const synced = await alice.get("/sync");
    const { events } = synced.body["to_device"] as { events: Json[] };
    const odd = events.find(({ type }) => type === "m.odd");
    expectSame(synced, odd!["content"], "to-device");

    const roomId = await makeRoom(alice);
    const tag = path`/user/${userId}/rooms/${roomId}/tags/${"__proto__"}`;
    must(await alice.put(tag, '{"order":0.5,"__proto__":{"polluted":1}}'));
    const tags = await alice.get(path`/user/${userId}/rooms/${roomId}/tags`);
    expect(Object.keys(tags.body["tags"] as Json)).to.deep.equal(["__proto__"]);
    expect(isPolluted()).to.equal(false);
  });

  it("row 40: takes an event of 65,536 bytes and refuses one of 65,537, by bytes", async () => {
    const roomId = await makeRoom(alice);
    const filler = "é".repeat(100);
    const fits = await largest(roomId, filler);
    const bigger = { filler, body: "x".repeat(fits + 1) };
    const target = path`/rooms/${roomId}/send/m.room.message/more`;
    expect((await alice.put(target, bigger)).status).to.equal(413);
    const eventId = await send(alice, roomId, "m.room.message", {
      filler,
      body: "x".repeat(fits),
    });
    const [{ length }] = (await server.database.sql`
      select octet_length(skeleton) + octet_length(sealed) as length
      from events join event_contents using (nid) where event_id = ${eventId}`) as unknown as [
      { length: number },
    ];
    expect(length).to.be.within(65_300, 65_700);
  });

  /** How long a body may be, found by halves. */
  async function largest(roomId: string, filler: string): Promise<number> {
    let [least, most] = [60_000, 65_536];
    while (most - least > 1) {
      const middle = (least + most) >> 1;
      const target = path`/rooms/${roomId}/send/m.room.message/${`b${middle}`}`;
      const body = { filler, body: "x".repeat(middle) };
      const { status } = await alice.put(target, body);
      if (status === 200) least = middle;
      else most = middle;
    }
    return least;
  }
});
