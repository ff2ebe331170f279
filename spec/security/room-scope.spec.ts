import { expect } from "chai";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { endpoints } from "../../src/http/endpoints.ts";
import {
  act,
  getMessages,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  setState,
} from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Answer, TestClient, TestUser } from "../support/server.ts";
import { SyncReader } from "../support/sync-reader.ts";
import { bodyFor, nameOf, pathTo } from "./requests.ts";
import type { Place } from "./requests.ts";

/** What an answer tells, but for the ids that were asked about and the time. */
const told = ({ status, text, headers }: Answer, place: Place) => ({
  status,
  text: text
    .replaceAll(JSON.stringify(place.roomId).slice(1, -1), "ROOM")
    .replaceAll(place.eventId, "EVENT"),
  length: headers["content-length"],
});

const unknownEvent = `$${"A".repeat(43)}`;
const unknownRoom: Readonly<Record<string, string>> = {
  "11": `!${"a".repeat(18)}:test`,
  "12": `!${"A".repeat(43)}`,
};

/** Answered alike for every room, so that the answer tells nothing (MSC4277). */
const ALWAYS_TAKEN = ["POST /_matrix/client/v3/rooms/:roomId/report"];

const ofRooms = endpoints.filter(({ path }) => /:roomId/.test(path));

describe("rooms and events of others", () => {
  const server = useServer();
  let alice: TestUser;
  let mallory: TestUser;

  before(async () => {
    alice = await server.user("alice");
    mallory = await server.user("mallory");
  });

  const ask = (client: TestClient, endpoint: Endpoint, place: Place) =>
    client.ask(
      endpoint.method.toUpperCase(),
      pathTo(endpoint, place),
      bodyFor(endpoint, place),
    );

  const placeOf = (roomId: string, eventId: string): Place => ({
    roomId,
    eventId,
    userId: mallory.userId,
    deviceId: mallory.deviceId,
    alias: "#new:test",
  });

  const restricted = {
    type: "m.room.join_rules",
    content: {
      join_rule: "restricted",
      allow: [{ type: "m.room_membership", room_id: unknownRoom["12"]! }],
    },
  };
  for (const [kind, version, request] of [
    ["an invite-only room of version 11", "11", {}],
    ["an invite-only room of version 12", "12", {}],
    ["a restricted room", "12", { initial_state: [restricted] }],
  ] as const) {
    it(`C5 CVE-2021-39163 CVE-2021-39164: tells a stranger ${kind} from none at no endpoint`, async () => {
      const roomId = await makeRoom(alice, {
        room_version: version,
        name: "hush-hush",
        ...request,
      });
      const eventId = await say(alice, roomId, "hush-hush");
      const there = placeOf(roomId, eventId);
      const nowhere = placeOf(unknownRoom[version]!, unknownEvent);
      expect(there.roomId).to.have.length(nowhere.roomId.length);
      expect(ofRooms.length).to.be.above(30);
      for (const endpoint of ofRooms) {
        const one = await ask(mallory, endpoint, there);
        const none = await ask(mallory, endpoint, nowhere);
        const label = nameOf(endpoint);
        const least = ALWAYS_TAKEN.includes(label) ? 200 : 400;
        expect(one.status, `${label} ${one.text}`).to.be.within(least, 404);
        expect(told(one, there), label).to.deep.equal(told(none, nowhere));
      }
    });
  }

  it("C5 CVE-2021-39163: tells nobody without a session of a private room", async () => {
    const roomId = await makeRoom(alice, { name: "hush-hush" });
    const target = (id: string) => path`/directory/list/room/${id}`;
    const one = await server.get(target(roomId));
    const none = await server.get(target(unknownRoom["12"]!));
    expect([one.status, one.text]).to.deep.equal([404, none.text]);
  });

  it("C5 GHSA-27p5-4f45-gx76 GHSA-qcjr-46gf-7f4r 1.7.1 #6553: finds no event of another room by its id, at any endpoint", async () => {
    const roomId = await makeRoom(alice);
    const foreign = await say(alice, roomId, "hush-hush");
    const own = await makeRoom(mallory);
    // Administrators need no membership: they are refused, or find it, by what they may do.
    const named = ofRooms.filter(
      (endpoint) =>
        endpoint.auth !== "admin" &&
        (/:(eventId|threadRoot)/.test(endpoint.path) ||
          JSON.stringify(bodyFor(endpoint, placeOf(own, foreign)))?.includes(
            foreign,
          )),
    );
    expect(named.map(nameOf)).to.have.length(10);
    for (const endpoint of named) {
      const there = placeOf(own, foreign);
      const nowhere = placeOf(own, unknownEvent);
      const one = await ask(mallory, endpoint, there);
      const none = await ask(mallory, endpoint, nowhere);
      const label = nameOf(endpoint);
      expect(one.status, label).to.equal(404);
      expect(told(one, there), label).to.deep.equal(told(none, nowhere));
    }
  });

  it("C5 Tuwunel 1.9.0: strips no event of another room, whichever way it is named", async () => {
    const roomId = await makePublicRoom(alice);
    await act(mallory, roomId, "join");
    const target = await say(alice, roomId, "stays");
    const own = await makeRoom(mallory, { room_version: "11" });
    const old = await makeRoom(mallory, { room_version: "10" });
    for (const room of [own, old]) {
      const sent = await mallory.put(
        path`/rooms/${room}/send/m.room.redaction/${room}`,
        { redacts: target },
      );
      expect(sent.status).to.equal(404);
      const asked = path`/rooms/${room}/redact/${target}/${`r${room}`}`;
      expect((await mallory.put(asked, {})).status).to.equal(404);
    }
    const shown = await alice.get(path`/rooms/${roomId}/event/${target}`);
    expect(shown.body["content"]).to.have.property("body", "stays");
  });

  it("C5: takes no event of another room for the root of a thread", async () => {
    const roomId = await makeRoom(alice);
    const root = await say(alice, roomId, "hush-hush");
    const own = await makeRoom(mallory);
    const eventId = await say(mallory, own, "mine");
    const receipt = path`/rooms/${own}/receipt/m.read/${eventId}`;
    const [one, none] = [
      await mallory.post(receipt, { thread_id: root }),
      await mallory.post(receipt, { thread_id: unknownEvent }),
    ];
    expect(one.status).to.equal(400);
    expect(one.text).to.equal(none.text);
  });

  it("C5 Continuwuity SEC26: shows events of the asked room alone, whatever token one brings", async () => {
    const roomId = await makeRoom(alice);
    await say(alice, roomId, "hush-hush");
    const { start, end } = await getMessages(alice, roomId, {
      dir: "b",
      limit: 1,
    });
    const { next_batch } = await new SyncReader(alice).next();
    const own = await makeRoom(mallory);
    await say(mallory, own, "mine");
    for (const token of [start, end!, next_batch]) {
      for (const dir of ["b", "f"]) {
        const query = { dir, from: token, limit: 100 };
        const { chunk } = await getMessages(mallory, own, query);
        for (const event of chunk) expect(event.room_id).to.equal(own);
      }
      const at = `${path`/rooms/${own}/members`}?at=${token}`;
      const answer = await mallory.get(at);
      expect(answer.text).to.not.include(roomId);
      const there = await mallory.get(
        `${path`/rooms/${roomId}/members`}?at=${token}`,
      );
      expect(there.status).to.equal(403);
    }
  });

  it("C5: takes no parent, relation or membership in the content for access to a room", async () => {
    const roomId = await makeRoom(alice);
    const eventId = await say(alice, roomId, "hush-hush");
    const own = await makeRoom(mallory, {
      creation_content: { predecessor: { room_id: roomId, event_id: eventId } },
      initial_state: [
        { type: "m.space.parent", state_key: roomId, content: { via: ["a"] } },
      ],
    });
    const relation = { rel_type: "m.thread", event_id: eventId };
    const sent = await mallory.put(path`/rooms/${own}/send/m.x/relation`, {
      room_id: roomId,
      "m.relates_to": relation,
    });
    expect(sent.status).to.equal(200);
    await setState(mallory, own, "m.space.child", { via: ["test"] }, roomId);
    const first = await new SyncReader(mallory).next();
    expect(JSON.stringify(first)).to.not.include("hush-hush");
    expect(first.rooms.join).to.not.have.property(roomId);
    for (const asked of ["state", "messages?dir=b", `event/${eventId}`]) {
      const answer = await mallory.get(`${path`/rooms/${roomId}/`}${asked}`);
      expect(answer.status, asked).to.be.oneOf([403, 404]);
    }
  });

  it("GHSA-cjh7-rcpx-xpf8 CVE-2021-32659: moves no alias to a room that names another as its predecessor", async () => {
    const alias = "#headquarters:test";
    const roomId = await makeRoom(alice, { room_alias_name: "headquarters" });
    await makeRoom(mallory, {
      creation_content: {
        predecessor: { room_id: roomId, event_id: unknownEvent },
      },
    });
    const answer = await server.get(path`/directory/room/${alias}`);
    expect(must(answer)["room_id"]).to.equal(roomId);
  });

  it("C5 0.33.1 #3641 #3642: serves each viewer what history visibility shows, by every way to read", async () => {
    for (const visibility of [
      "world_readable",
      "shared",
      "invited",
      "joined",
    ]) {
      const roomId = await makePublicRoom(alice, visibility);
      const viewer = await server.user(`viewer-${visibility}`);
      const ids: Record<string, string> = {};
      ids["before"] = await say(alice, roomId, "before");
      await act(alice, roomId, "invite", { user_id: viewer.userId });
      ids["invited"] = await say(alice, roomId, "invited");
      await act(viewer, roomId, "join");
      ids["joined"] = await say(alice, roomId, "joined");
      await act(viewer, roomId, "leave");
      ids["left"] = await say(alice, roomId, "left");
      const shows: Record<string, string[]> = {
        world_readable: ["before", "invited", "joined", "left"],
        shared: ["before", "invited", "joined"],
        invited: ["invited", "joined"],
        joined: ["joined"],
      };
      await expectShown(viewer, roomId, ids, shows[visibility]!, visibility);
      const stranger = await server.user(`stranger-${visibility}`);
      const all = visibility === "world_readable" ? Object.keys(ids) : [];
      await expectShown(stranger, roomId, ids, all, `${visibility}, stranger`);
    }
  });

  async function expectShown(
    viewer: TestUser,
    roomId: string,
    ids: Readonly<Record<string, string>>,
    shown: readonly string[],
    label: string,
  ): Promise<void> {
    const page = await viewer.get(
      `${path`/rooms/${roomId}/messages`}?dir=b&limit=100`,
    );
    const synced = await new SyncReader(viewer, {
      filter: {
        room: { include_leave: true, timeline: { limit: 100 } },
      },
    }).next();
    for (const [name, eventId] of Object.entries(ids)) {
      const isShown = shown.includes(name);
      const about = `${label}, ${name}`;
      const one = await viewer.get(path`/rooms/${roomId}/event/${eventId}`);
      const around = await viewer.get(
        path`/rooms/${roomId}/context/${eventId}`,
      );
      const status = isShown ? 200 : 404;
      expect([one.status, around.status], about).to.deep.equal([
        status,
        status,
      ]);
      expect(page.text.includes(eventId), about).to.equal(isShown);
      if (!isShown) {
        expect(JSON.stringify(synced), about).to.not.include(eventId);
        for (const other of shown) {
          const near = path`/rooms/${roomId}/context/${ids[other]!}`;
          const { text } = await viewer.get(`${near}?limit=100`);
          expect(text, about).to.not.include(eventId);
        }
      }
    }
  }
});
