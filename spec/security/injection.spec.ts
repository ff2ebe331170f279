import { expect } from "chai";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { endpoints } from "../../src/http/endpoints.ts";
import {
  getMessages,
  makeRoom,
  must,
  path,
  say,
  setState,
} from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Answer, Json, TestClient, TestUser } from "../support/server.ts";
import { bodyFor, nameOf, pathTo } from "./requests.ts";
import type { Place } from "./requests.ts";

/** Encoded segments and query values that something behind might read as more than data. */
const HOSTILE: readonly string[] = [
  ...[
    "'); drop table users; --",
    "' or '1'='1",
    "$1",
    "{a,b}",
    '{"a',
    "%",
    "_",
    "%25",
    "\\",
    "\\x00",
    "a/b?c#d",
    "../../etc/passwd",
    "a:b & !c | (d",
    "${jndi:x}",
    "\r\nSet-Cookie: a=b",
    "\u001b[31m\u202e",
    "😀\uffff",
    "__proto__",
    "constructor",
    "@a:test",
    "!a:test",
    "$a",
    "#a:test",
    "1e9",
    "x".repeat(3_000),
  ].map(encodeURIComponent),
  "a%00b",
  "%40a%00%3Atest",
  "%21a%00%3Atest",
  "%E0%A4",
  "%C0%AF",
  "%ED%A0%80",
  "%zz",
  "%2e%2e",
];

describe("hostile paths and queries", () => {
  const server = useServer();
  const byToken = useServer({ "registration.mode": "token" });
  let alice: TestUser;
  let place: Place;

  before(async () => {
    alice = await server.user("alice");
    const { userId, deviceId } = alice;
    const roomId = await makeRoom(alice);
    const eventId = await say(alice, roomId, "hello");
    place = { roomId, eventId, userId, deviceId, alias: "#a:test" };
  });

  async function askAll(
    endpoint: Endpoint,
    targets: readonly string[],
  ): Promise<Answer[]> {
    const { method } = endpoint;
    const body = bodyFor(endpoint, place);
    const answers = await Promise.all(
      targets.map((target) => alice.ask(method.toUpperCase(), target, body)),
    );
    answers.forEach(({ status, text }, i) => {
      const label = `${nameOf(endpoint)} ${targets[i]} ${text}`;
      // 502 tells of another server, which was named and cannot be reached.
      expect(status, label).to.satisfy((s: number) => s < 500 || s === 502);
    });
    return answers;
  }

  const rowsOf = async () => {
    const { sql } = server.database;
    const [counts] = await sql`select (select count(*) from users) as users,
      (select count(*) from devices) as devices, (select count(*) from keys where scope = 'user') as keys`;
    return counts;
  };

  it("rows 42, 47, 49, CVE-2022-3971 CVE-2025-53549: no parameter of any path is more than data", async () => {
    const before = await rowsOf();
    let asked = 0;
    for (const endpoint of endpoints) {
      const names = [...endpoint.path.matchAll(/:\w+/g)].map(([name]) => name);
      // Leaving one's own device or room is no fault of the path.
      const targets = names.flatMap((name) =>
        HOSTILE.map((value) =>
          pathTo(
            { ...endpoint, path: endpoint.path.replace(name, "HERE") },
            place,
          ).replace("HERE", value),
        ),
      );
      const answers = await askAll(endpoint, targets);
      asked += answers.length;
      answers.forEach(({ status }, i) => {
        if (
          targets[i]!.includes("%00") ||
          /%zz|%C0|%E0%A4|%ED/.test(targets[i]!)
        )
          expect(status, targets[i]).to.equal(400);
        if (targets[i]!.endsWith("/%2e%2e"))
          expect(status, targets[i]).to.equal(404);
      });
    }
    expect(asked).to.be.above(2_000);
    expect(await rowsOf()).to.deep.equal(before);
  }).timeout(60_000);

  it("rows 42, 49: no parameter of any query is more than data", async () => {
    let asked = 0;
    for (const endpoint of endpoints) {
      const properties = (endpoint.query?.["properties"] ?? {}) as Json;
      const base = pathTo(endpoint, place);
      const targets = Object.keys(properties).flatMap((name) => {
        const [plain = "", rest = ""] = base.split("?");
        const others = rest.split("&").filter((pair) => !pair.startsWith(name));
        return HOSTILE.map(
          (value) =>
            `${plain}?${[...others, `${encodeURIComponent(name)}=${value}`].filter((pair) => pair !== "").join("&")}`,
        );
      });
      asked += (await askAll(endpoint, targets)).length;
    }
    expect(asked).to.be.above(500);
  }).timeout(60_000);

  it("row 42: what people write may hold NUL, and no id", async () => {
    const { userId, deviceId } = alice;
    const roomId = await makeRoom(alice, {
      name: "n\0",
      initial_state: [
        { type: "m.x\0", state_key: "k\0", content: { "a\0": "\0" } },
      ],
    });
    const state = await alice.get(path`/rooms/${roomId}/state`);
    const events = JSON.parse(state.text) as Json[];
    const odd = events.find(({ type }) => type === "m.x\0");
    expect(odd).to.deep.include({ state_key: "k\0", content: { "a\0": "\0" } });
    const name = path`/rooms/${roomId}/state/m.room.name/`;
    expect(must(await alice.get(name))).to.deep.equal({ name: "n\0" });
    for (const [target, body] of [
      [path`/devices/${deviceId}`, { display_name: "d\0" }],
      [path`/profile/${userId}/displayname`, { displayname: "p\0" }],
      [path`/user/${userId}/account_data/m.x`, { "k\0": "v\0" }],
    ] as const) {
      must(await alice.put(target, body));
      expect(must(await alice.get(target)), target).to.deep.include(body);
    }
    const login = {
      type: "m.login.password",
      user: "alice",
      password: alice.password,
    };
    for (const answer of [
      await alice.put("/directory/room/%23a%00%3Atest", { room_id: roomId }),
      await alice.post("/createRoom", { room_alias_name: "a\0" }),
      await alice.post("/createRoom", { invite: ["@a\0:test"] }),
      await alice.post(path`/rooms/${roomId}/invite`, { user_id: "@a\0:test" }),
      await server.post("/login", { ...login, device_id: "D\0" }),
      await server.post("/register", {
        username: "a\0",
        password: "a long password",
        auth: { type: "m.login.dummy" },
      }),
    ])
      expect(answer.status, answer.text).to.equal(400);
  });

  it("row 42: a registration token with NUL is a wrong one", async () => {
    const auth = { type: "m.login.registration_token", token: "a\0b" };
    const form = { username: "nul", password: "a long password" };
    const answer = await byToken.post("/register", { ...form, auth });
    expect(answer.status, answer.text).to.equal(401);
  });

  it("row 49: % and _ stand for themselves, wherever something is looked for", async () => {
    const { userId } = alice;
    const roomId = await makeRoom(alice, {
      preset: "public_chat",
      visibility: "public",
      name: "Plain name",
      room_alias_name: "plain",
    });
    await say(alice, roomId, "hello");
    const found = async (term: string) => {
      const filter = { generic_search_term: term };
      const answer = await alice.post("/publicRooms", { filter });
      return (must(answer)["chunk"] as Json[]).length;
    };
    expect(await found("plain")).to.equal(1);
    for (const term of ["%", "pl_in", "pla%", "\\", "p.ain", "(", "[a-z]"])
      expect(await found(term), term).to.equal(0);

    for (const types of [
      ["m.room.%"],
      ["m.room.messag_"],
      ["m.room.messag?"],
      [".*"],
    ]) {
      const filter = JSON.stringify({ types });
      const { chunk } = await getMessages(alice, roomId, { dir: "b", filter });
      expect(chunk, types[0]).to.deep.equal([]);
    }
    for (const senders of [["@%:test"], ["@alic_:test"], ["@*:test"]]) {
      const filter = JSON.stringify({ senders });
      const { chunk } = await getMessages(alice, roomId, { dir: "b", filter });
      expect(chunk, senders[0]).to.deep.equal([]);
    }
    for (const [target, status] of [
      [path`/directory/room/${"#plai_:test"}`, 404],
      [path`/directory/room/${"#%:test"}`, 404],
      [path`/profile/${"@alic_:test"}`, 404],
      [path`/profile/${userId}/${"displaynam_"}`, 404],
      [path`/rooms/${roomId}/state/${"m.room.nam_"}/`, 404],
      [path`/rooms/${roomId}/state/${"m.room.%"}/`, 404],
      [path`/rooms/${roomId}/state/${"m.room.member"}/${"@alic_:test"}`, 404],
      [path`/user/${userId}/account_data/${"m.%"}`, 404],
      [path`/devices/${"%x"}`, 404],
      [path`/pushrules/global/override/${".m.rule.%"}`, 404],
    ] as const) {
      expect((await alice.get(target)).status, target).to.equal(status);
    }
    const token =
      "/_matrix/client/v1/register/m.login.registration_token/validity?token=%25";
    expect(must(await server.get(token))).to.deep.equal({ valid: false });
  });

  it("row 47: keeps slashes, question marks and other signs of ids", async () => {
    const roomId = await makeRoom(alice);
    for (const odd of [
      "a/b",
      "a?b",
      "a#b",
      "%2F",
      "a..b",
      "a;x=y",
      "'",
      "é😀",
      'a"\\b',
    ]) {
      const content = { is: odd };
      const eventId = await setState(alice, roomId, `m.${odd}`, content, odd);
      const event = await alice.get(path`/rooms/${roomId}/event/${eventId}`);
      expect(must(event)).to.include({ type: `m.${odd}`, state_key: odd });
      const target = path`/rooms/${roomId}/state/${`m.${odd}`}/${odd}`;
      expect(must(await alice.get(target))).to.deep.equal(content);
      const filter = JSON.stringify({ types: [`m.${odd}`] });
      const { chunk } = await getMessages(alice, roomId, { dir: "b", filter });
      expect(chunk.map(({ type }) => type)).to.deep.equal([`m.${odd}`]);
      const txn = path`/rooms/${roomId}/send/m.x/${`t${odd}`}`;
      const twins = [await alice.put(txn, {}), await alice.put(txn, {})];
      expect(must(twins[0]!)).to.deep.equal(must(twins[1]!));
    }
  });

  it("C15 GHSA-vh4c-pqh4-w3wq GHSA-hgcg-p9gx-fq5f: serves no route of ours with more or less in its path", async () => {
    const traps = (target: string) => [
      `${target}/`,
      `${target}/x`,
      `${target}/..`,
      `${target}%2f`,
      `${target}//`,
      `/${target}`,
      `/x/..${target}`,
      target.replace("/_matrix/", "/_matrix//"),
      target.replace("/client/", "/client%2f"),
      target.replace("/client/", "/client/x/"),
      target.replace("/client/", "/CLIENT/"),
      target.replace("/client/", "/client;x/"),
    ];
    // Where a parameter ends the path, a slash that is encoded belongs to it.
    const fixed = endpoints.filter(({ path }) => !/:\w+\/?$/.test(path));
    const served = new Set(
      endpoints.flatMap(({ path, also = [] }) => [path, ...also]),
    );
    expect(fixed.length).to.be.above(30);
    for (const endpoint of fixed) {
      const [target = ""] = pathTo(endpoint, place).split("?");
      for (const trap of traps(target)) {
        if (trap === target || served.has(trap) || isParameter(trap)) continue;
        const method = endpoint.method.toUpperCase();
        const answer = await alice.ask(method, trap);
        expect(answer.status, `${method} ${trap}`).to.be.oneOf([404]);
        expect(answer.body["errcode"], trap).to.equal("M_UNRECOGNIZED");
      }
    }
  });

  /** Whether this is the path of another endpoint, whose parameter takes what was added. */
  const isParameter = (target: string): boolean =>
    endpoints.some(({ path, also = [] }) =>
      [path, ...also].some((known) => {
        const [ours, theirs] = [known.split("/"), target.split("/")];
        return (
          ours.length === theirs.length &&
          ours.every((part, i) =>
            part.startsWith(":") ? theirs[i] !== "" : part === theirs[i],
          )
        );
      }),
    );

  it("Tuwunel ip_source: believes no address of an untrusted peer", async () => {
    const spoofed: TestClient["get"] = (target) =>
      alice.get(target, {
        headers: {
          "x-forwarded-for": "203.0.113.7",
          forwarded: "for=203.0.113.7",
          "x-real-ip": "203.0.113.7",
          "cf-connecting-ip": "203.0.113.7",
        },
      });
    must(await spoofed("/account/whoami"));
    const { body } = await spoofed("/devices");
    expect(JSON.stringify(body)).to.not.include("203.0.113.7");
  });
});
