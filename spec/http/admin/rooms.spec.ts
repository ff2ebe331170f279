import { readAudit } from "../../support/audit.ts";
import { expect } from "chai";
import { administrator } from "../../support/administrators.ts";
import {
  act,
  idsOf,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  setState,
  type RoomEvent,
} from "../../support/rooms.ts";
import {
  type Json,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";

const S = "/_synapse/admin/v1";
const N = "/_myelin/admin/v1";

interface RoomsPage {
  rooms: (Json & { room_id: string })[];
  offset: number;
  total_rooms: number;
  next_batch?: number;
  prev_batch?: number;
}

describe("rooms, as administrators' tools ask for them", () => {
  const server = useServer();
  let second: TestProcess;
  let admin: TestUser;
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    second = await server.startProcess();
    admin = await administrator(server, "admin", "system-admin");
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const records = () => readAudit(server);

  describe("the list", () => {
    const ids: Record<string, string> = {};
    before(async () => {
      ids["b"] = await makeRoom(alice, {
        name: "Beta",
        preset: "public_chat",
        visibility: "public",
        room_alias_name: "beta",
      });
      ids["a"] = await makeRoom(bob, {
        name: "alpha",
        creation_content: { type: "m.space", "m.federate": false },
        initial_state: [
          {
            type: "m.room.encryption",
            content: { algorithm: "m.megolm.v1.aes-sha2" },
          },
        ],
      });
      ids["c"] = await makeRoom(alice, { name: "Gamma" });
      ids["e"] = await makeRoom(alice, { room_version: "10" });
      await act(bob, ids["b"], "join");
      await act(alice, ids["e"], "leave");
    });

    const list = async (query: string): Promise<RoomsPage> =>
      must<RoomsPage>(await admin.get(`${S}/rooms?${query}`));
    const names = (page: RoomsPage) =>
      page.rooms.map((room) =>
        Object.keys(ids).find((name) => ids[name] === room.room_id),
      );

    it("tells of each what Synapse tells", async () => {
      const page = await list("");
      expect(page).to.include({ offset: 0, total_rooms: 4 });
      expect(page.rooms[0]).to.deep.equal({
        room_id: ids["a"],
        name: "alpha",
        canonical_alias: null,
        joined_members: 1,
        joined_local_members: 1,
        version: "12",
        creator: bob.userId,
        encryption: "m.megolm.v1.aes-sha2",
        federatable: false,
        public: false,
        join_rules: "invite",
        guest_access: "can_join",
        history_visibility: "shared",
        state_events: page.rooms[0]!["state_events"],
        room_type: "m.space",
      });
      expect(page.rooms[1]).to.include({
        canonical_alias: "#beta:test",
        joined_members: 2,
        public: true,
        federatable: true,
      });
      expect(names(page)).to.deep.equal(["a", "b", "c", "e"]);
    });

    it("is ordered by each key, in both directions", async () => {
      const orders: Record<string, string[]> = {
        name: ["a", "b", "c", "e"],
        alphabetical: ["a", "b", "c", "e"],
        canonical_alias: ["b"],
        joined_members: ["b"],
        size: ["b"],
        joined_local_members: ["b"],
        version: [],
        creator: [],
        encryption: ["a"],
        federatable: ["a"],
        public: [],
        join_rules: [],
        guest_access: [],
        history_visibility: [],
        state_events: [],
        room_type: ["a"],
      };
      expect(Object.keys(orders)).to.have.length(16);
      for (const [order, first] of Object.entries(orders)) {
        const forth = names(await list(`order_by=${order}`));
        const back = names(await list(`order_by=${order}&dir=b`));
        expect(forth, order).to.have.members(["a", "b", "c", "e"]);
        expect(back, order).to.have.members(["a", "b", "c", "e"]);
        expect(forth.slice(0, first.length), order).to.deep.equal(first);
      }
      expect(names(await list("order_by=name&dir=b"))).to.deep.equal([
        ...["c", "b", "a", "e"],
      ]);
      expect(names(await list("order_by=size&dir=b")).at(-1)).to.equal("b");
      const odd = await admin.get(`${S}/rooms?order_by=colour`);
      expect(odd.body["errcode"]).to.equal("M_INVALID_PARAM");
    });

    it("is paged by numbers", async () => {
      for (const order of ["name", "joined_members"]) {
        const seen: string[] = [];
        let from: number | undefined = 0;
        while (from !== undefined) {
          const page: RoomsPage = await list(
            `limit=3&from=${from}&order_by=${order}`,
          );
          expect(page.total_rooms).to.equal(4);
          seen.push(...page.rooms.map(({ room_id }) => room_id));
          if (from > 0) expect(page.prev_batch).to.equal(0);
          from = page.next_batch;
          expect(from).to.be.oneOf([3, undefined]);
        }
        expect(seen).to.have.members(Object.values(ids));
        const past = await list(`from=50&order_by=${order}`);
        expect(past).to.deep.include({ rooms: [], total_rooms: 4 });
      }
    });

    it("is searched by name, alias and id; what is empty is no filter", async () => {
      expect(names(await list("search_term=AMM"))).to.deep.equal(["c"]);
      expect(names(await list("search_term=bet"))).to.deep.equal(["b"]);
      const byId = encodeURIComponent(ids["e"]!);
      expect(names(await list(`search_term=${byId}`))).to.deep.equal(["e"]);
      expect(names(await list("search_term=test"))).to.deep.equal([]);
      const all = await list("search_term=&order_by=&public_rooms=&dir=");
      expect(all.total_rooms).to.equal(4);
      expect(names(await list("public_rooms=true"))).to.deep.equal(["b"]);
      expect(names(await list("empty_rooms=True"))).to.deep.equal(["e"]);
      expect((await list("empty_rooms=false")).total_rooms).to.equal(3);
    });

    it("tells what changed meanwhile", async () => {
      await setState(alice, ids["c"]!, "m.room.name", { name: "Zeta" });
      expect(names(await list("search_term=zeta"))).to.deep.equal(["c"]);
      expect(names(await list("search_term=gamma"))).to.deep.equal([]);
      await setState(alice, ids["c"]!, "m.room.name", { name: "Gamma" });
    });

    it("is served to nobody else, and by our own path alike", async () => {
      for (const base of [S, N]) {
        must(await admin.get(`${base}/rooms`));
        const refused = await alice.get(`${base}/rooms`);
        expect(refused.status).to.equal(403);
        expect(refused.body).to.include({
          errcode: "M_FORBIDDEN",
          "org.myelin.permission": "rooms.read",
        });
        expect((await server.get(`${base}/rooms`)).status).to.equal(401);
      }
    });
  });

  describe("one of them", () => {
    let roomId: string;
    before(async () => {
      roomId = await makeRoom(alice, { name: "One", topic: "Of it" });
    });

    it("is told in full, by its id as synadm writes it and encoded", async () => {
      const raw = must(await admin.get(`${S}/rooms/${roomId}`));
      expect(raw).to.include({
        room_id: roomId,
        name: "One",
        topic: "Of it",
        avatar: null,
        joined_members: 1,
        joined_local_devices: 1,
        forgotten: false,
        tombstoned: false,
        replacement_room: null,
        creator: alice.userId,
      });
      const encoded = must(
        await admin.get(
          path`${S}/rooms/`.replace(/%2F/g, "/") + encodeURIComponent(roomId),
        ),
      );
      expect(encoded).to.deep.equal(raw);
      const absent = await admin.get(`${S}/rooms/!absent:test`);
      expect(absent.body["errcode"]).to.equal("M_NOT_FOUND");
      const { replacement_room } = must<{ replacement_room: string }>(
        await alice.post(path`/rooms/${roomId}/upgrade`, { new_version: "11" }),
      );
      const old = must(await admin.get(`${S}/rooms/${roomId}`));
      expect(old).to.include({ tombstoned: true, replacement_room });
    });

    it("tells its members and its state", async () => {
      const { members, total } = must<{ members: string[]; total: number }>(
        await admin.get(`${S}/rooms/${roomId}/members`),
      );
      expect(members).to.deep.equal([alice.userId]);
      expect(total).to.equal(1);
      const all = must<{ state: RoomEvent[] }>(
        await admin.get(`${S}/rooms/${roomId}/state`),
      );
      expect(all.state.map(({ type }) => type)).to.include.members([
        ...["m.room.create", "m.room.member", "m.room.name", "m.room.topic"],
      ]);
      const named = must<{ state: RoomEvent[] }>(
        await admin.get(`${S}/rooms/${roomId}/state?type=m.room.name`),
      );
      expect(named.state.map(({ content }) => content)).to.deep.equal([
        { name: "One" },
      ]);
      for (const what of ["members", "state"]) {
        const absent = await admin.get(`${S}/rooms/!absent:test/${what}`);
        expect(absent.status, what).to.equal(404);
      }
    });

    it("is never all rooms, where its id is lost on the way", async () => {
      const before = must<RoomsPage>(await admin.get(`${S}/rooms`));
      for (const [method, target, body] of [
        ["DELETE", `${S}/rooms/`, { purge: true }],
        ["POST", `${S}/rooms/`, {}],
        ["POST", `${S}/join/`, { user_id: bob.userId }],
        ["GET", `${S}/rooms/`, undefined],
        ["DELETE", "/_synapse/admin/v2/rooms/", {}],
        ["DELETE", `${N}/rooms/`, {}],
        ["POST", `${S}/purge_history/`, {}],
        ["GET", `${S}/rooms/${roomId}/`, undefined],
        ["POST", `${S}/quarantine_media/`, undefined],
        ["DELETE", `${S}/media/test/`, undefined],
      ] as const) {
        const answer = await admin.ask(method, target, body);
        expect(answer.status, `${method} ${target}`).to.equal(404);
        expect(answer.body["errcode"]).to.equal("M_UNRECOGNIZED");
      }
      const after = must<RoomsPage>(await admin.get(`${S}/rooms`));
      expect(after.total_rooms).to.equal(before.total_rooms);
    });
  });

  describe("what is said in them", () => {
    let roomId: string;
    const said: string[] = [];
    before(async () => {
      roomId = await makeRoom(alice);
      for (const body of ["one", "two", "three"])
        said.push(await say(alice, roomId, body));
    });

    it("is read without being in there, and each time recorded with its case", async () => {
      const before = (await records()).length;
      const page = must<{ chunk: RoomEvent[]; start: string; end: string }>(
        await admin.get(`${S}/rooms/${roomId}/messages?dir=b&limit=2`, {
          headers: { "x-myelin-case": "C-1", "x-myelin-reason": "asked" },
        }),
      );
      expect(idsOf(page.chunk)).to.deep.equal([said[2], said[1]]);
      const on = must<{ chunk: RoomEvent[] }>(
        await admin.get(
          `${S}/rooms/${roomId}/messages?dir=b&limit=1&from=${page.end}&case_id=C-2`,
        ),
      );
      expect(idsOf(on.chunk)).to.deep.equal([said[0]]);
      const forth = must<{ chunk: RoomEvent[] }>(
        await admin.get(`${S}/rooms/${roomId}/messages`),
      );
      expect(forth.chunk[0]!.type).to.equal("m.room.create");
      const made = (await records()).slice(before);
      expect(made).to.have.length(3);
      expect(made[0]).to.deep.include({
        action: "rooms.content.read",
        resource: { type: "room", id: roomId },
        after: { read: "messages" },
        case_id: "C-1",
        reason: "asked",
      });
      expect(made[0]!.actor).to.include({ user_id: admin.userId });
      expect(JSON.stringify(made)).to.include("C-2").and.not.include("three");
    });

    it("is read around an event, at a time, and by an event's id alone", async () => {
      const context = must<{
        event: RoomEvent;
        events_before: RoomEvent[];
        events_after: RoomEvent[];
        state: RoomEvent[];
      }>(await admin.get(`${S}/rooms/${roomId}/context/${said[1]!}?limit=2`));
      expect(context.event.event_id).to.equal(said[1]);
      expect(idsOf(context.events_before)).to.deep.equal([said[0]]);
      expect(idsOf(context.events_after)).to.deep.equal([said[2]]);
      expect(context.state.map(({ type }) => type)).to.include("m.room.create");
      const near = must(
        await admin.get(
          `${S}/rooms/${roomId}/timestamp_to_event?ts=${Date.now() + 1000}&dir=b`,
        ),
      );
      expect(near["event_id"]).to.equal(said[2]);
      const later = await admin.get(
        `${S}/rooms/${roomId}/timestamp_to_event?ts=${Date.now() + 100_000}`,
      );
      expect(later.status).to.equal(404);
      const { event } = must<{ event: RoomEvent }>(
        await admin.get(`${S}/fetch_event/${said[0]!}`),
      );
      expect(event.content).to.include({ body: "one" });
      for (const id of ["$absent", "nothing", `$${"A".repeat(43)}`])
        expect((await admin.get(`${S}/fetch_event/${id}`)).status).to.equal(
          404,
        );
    });

    it("stays hidden from the same administrator everywhere else", async () => {
      for (const target of [
        path`/rooms/${roomId}/messages`.concat("?dir=b"),
        path`/rooms/${roomId}/event/${said[0]!}`,
        path`/rooms/${roomId}/context/${said[0]!}`,
      ])
        expect((await admin.get(target)).status).to.be.oneOf([403, 404]);
      const moderator = await administrator(server, "mod1", "room-moderator");
      for (const target of [
        `${S}/rooms/${roomId}/messages`,
        `${S}/rooms/${roomId}/context/${said[0]!}`,
        `${S}/fetch_event/${said[0]!}`,
        `${S}/rooms/${roomId}/timestamp_to_event?ts=1`,
      ]) {
        const refused = await moderator.get(target);
        expect(refused.body["org.myelin.permission"], target).to.equal(
          "rooms.content.read",
        );
      }
    });
  });

  describe("spaces", () => {
    it("are walked, the private rooms too", async () => {
      const space = await makeRoom(alice, {
        creation_content: { type: "m.space" },
      });
      const child = await makeRoom(alice, { name: "Hidden child" });
      await setState(alice, space, "m.space.child", { via: ["test"] }, child);
      const walk = must<{ rooms: Json[] }>(
        await admin.get(`${S}/rooms/${space}/hierarchy?max_depth=2`),
      );
      expect(walk.rooms.map((room) => room["room_id"])).to.deep.equal([
        ...[space, child],
      ]);
      const own = await admin.get(
        `/_matrix/client/v1/rooms/${space}/hierarchy`,
      );
      expect(own.status).to.equal(403);
      const absent = await admin.get(`${S}/rooms/!absent:test/hierarchy`);
      expect(absent.status).to.equal(404);
    });
  });

  describe("blocked", () => {
    const block = (roomId: string, isBlocked = true) =>
      admin.put(`${S}/rooms/${roomId}/block`, { block: isBlocked });

    it("let nobody in, whichever way and in whichever process", async () => {
      const roomId = await makePublicRoom(alice);
      await act(alice, roomId, "invite", { user_id: admin.userId });
      expect(must(await block(roomId))).to.deep.equal({ block: true });
      expect(must(await admin.get(`${S}/rooms/${roomId}/block`))).to.deep.equal(
        { block: true, user_id: admin.userId },
      );
      const there = second.as(bob);
      for (const answer of [
        await bob.post(path`/rooms/${roomId}/join`),
        await there.post(path`/join/${roomId}`),
        await admin.post(path`/rooms/${roomId}/join`),
        await alice.post(path`/rooms/${roomId}/invite`, {
          user_id: bob.userId,
        }),
        await admin.post(`${S}/join/${roomId}`, { user_id: bob.userId }),
      ]) {
        expect(answer.status, answer.text).to.equal(403);
        expect(answer.body["errcode"]).to.equal("M_FORBIDDEN");
      }
      await say(alice, roomId, "who is in stays");
      await act(alice, roomId, "join", { reason: "again" });
      must(await block(roomId, false));
      expect(must(await admin.get(`${S}/rooms/${roomId}/block`))).to.deep.equal(
        { block: false },
      );
      await act(bob, roomId, "join");
      const blocks = (await records()).filter(
        ({ action }) => action === "rooms.block",
      );
      expect(blocks.slice(-2).map(({ after }) => after)).to.deep.include({
        block: false,
      });
      expect(blocks.at(-1)!.resource).to.deep.equal({
        type: "room",
        id: roomId,
      });
    });

    it("need not be known here, and are room ids", async () => {
      must(await block("!elsewhere:example.org"));
      const odd = await block("nonsense");
      expect(odd.body["errcode"]).to.equal("M_INVALID_PARAM");
      const refused = await alice.put(`${S}/rooms/!x:test/block`, {
        block: true,
      });
      expect(refused.status).to.equal(403);
      const none = await admin.put(`${S}/rooms/!x:test/block`, {});
      expect(none.body["errcode"]).to.equal("M_MISSING_PARAM");
    });

    it("let in nobody who came at the same moment", async () => {
      for (let round = 0; round < 10; round += 1) {
        const roomId = await makePublicRoom(alice);
        const [joined] = await Promise.all([
          second.as(bob).post(path`/rooms/${roomId}/join`),
          block(roomId),
        ]);
        // Who was first is in; who was second is not, and nobody is after.
        const { members } = must<{ members: string[] }>(
          await admin.get(`${S}/rooms/${roomId}/members`),
        );
        expect(members.includes(bob.userId)).to.equal(joined.status === 200);
        const late = await admin.post(path`/rooms/${roomId}/join`);
        expect(late.status).to.equal(403);
      }
    });
  });

  describe("people in them", () => {
    it("are brought in by synadm's words, by id and by alias", async () => {
      const roomId = await makePublicRoom(alice);
      const carol = await server.user("carol");
      const answer = must(
        await admin.post(`${S}/join/${roomId}`, { user_id: carol.userId }),
      );
      expect(answer).to.deep.equal({ room_id: roomId });
      const alias = "#wayin:test";
      must(
        await alice.put(path`/directory/room/${alias}`, { room_id: roomId }),
      );
      must(
        await admin.post(`${S}/join/${encodeURIComponent(alias)}`, {
          user_id: bob.userId,
        }),
      );
      for (const [userId, errcode] of [
        ["@absent:test", "M_NOT_FOUND"],
        ["@x:elsewhere", "M_INVALID_PARAM"],
        ["nonsense", "M_INVALID_PARAM"],
      ] as const) {
        const refused = await admin.post(`${S}/join/${roomId}`, {
          user_id: userId,
        });
        expect(refused.body["errcode"], userId).to.equal(errcode);
      }
      const nowhere = await admin.post(`${S}/join/!absent:test`, {
        user_id: bob.userId,
      });
      expect(nowhere.status).to.equal(404);
    });

    it("come into a private room only by an administrator who is in it", async () => {
      const roomId = await makeRoom(alice);
      const refused = await admin.post(`${S}/join/${roomId}`, {
        user_id: bob.userId,
      });
      expect(refused.status).to.equal(403);
      const own = await makeRoom(admin);
      must(await admin.post(`${S}/join/${own}`, { user_id: bob.userId }));
    });

    for (const version of ["10", "12"])
      it(`are given the highest power that there is here, in a room of version ${version}`, async () => {
        const roomId = await makeRoom(alice, { room_version: version });
        must(await admin.post(`${S}/rooms/${roomId}/make_room_admin`, {}));
        await act(admin, roomId, "join");
        const levels = must<{ users: Record<string, number> }>(
          await admin.get(path`/rooms/${roomId}/state/m.room.power_levels`),
        );
        expect(levels.users[admin.userId]).to.equal(100);
        await setState(admin, roomId, "m.room.name", { name: "Mine" });
        must(
          await admin.post(`${S}/rooms/${roomId}/make_room_admin`, {
            user_id: bob.userId,
          }),
        );
        await act(bob, roomId, "join");
        await setState(bob, roomId, "m.room.name", { name: "Ours" });
        const refused = await admin.post(
          `${S}/rooms/${roomId}/make_room_admin`,
          { user_id: "@absent:test" },
        );
        expect(refused.status).to.equal(404);
      });

    it("find nobody here whose power could be given in an empty room", async () => {
      const roomId = await makeRoom(alice);
      await act(alice, roomId, "leave");
      const refused = await admin.post(
        `${S}/rooms/${roomId}/make_room_admin`,
        {},
      );
      expect(refused.status).to.equal(400);
    });
  });

  describe("the ends of their graphs", () => {
    it("are listed, and pruned to the newest", async () => {
      const roomId = await makeRoom(alice);
      const first = await say(alice, roomId, "first");
      const target = `${S}/rooms/${roomId}/forward_extremities`;
      const list = async () =>
        must<{ count: number; results: Json[] }>(await admin.get(target));
      const one = await list();
      expect(one.count).to.equal(1);
      expect(one.results[0]).to.include({ event_id: first });
      expect(one.results[0]).to.have.all.keys([
        ...["event_id", "state_group", "depth", "received_ts"],
      ]);
      await server.database.sql`
      insert into forward_extremities (room_nid, nid)
      select e.room_nid, e.nid from events e join rooms r using (room_nid)
      where r.room_id = ${roomId} and e.event_id <> ${first}`;
      expect((await list()).count).to.be.above(3);
      const { deleted } = must<{ deleted: number }>(await admin.delete(target));
      expect(deleted).to.be.above(2);
      expect(
        (await list()).results.map((row) => row["event_id"]),
      ).to.deep.equal([first]);
      await say(alice, roomId, "second");
      expect(must(await admin.delete(target))).to.deep.equal({ deleted: 0 });
    });
  });
});
