import { expect } from "chai";
import type { Requester } from "../../../src/domain/accounts/requester.ts";
import { joinRoom } from "../../../src/domain/rooms/membership.ts";
import {
  writeToRoom,
  type WriterEdges,
} from "../../../src/domain/rooms/room-writer.ts";
import { raiseFence } from "../../../src/storage/fence.ts";
import { listSnapshots } from "../../../src/storage/snapshots.ts";
import {
  act,
  bodiesOf,
  makePublicRoom,
  makeRoom,
  must,
  pageThrough,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

describe("the room writer", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const put = (user: TestUser, roomId: string, txn: string) =>
    user.put(path`/rooms/${roomId}/send/m.room.message/${txn}`, { body: txn });

  const count = async (roomId: string): Promise<number> => {
    const [row] = await server.database.sql<{ n: number }[]>`
      select count(*)::int as n from events join rooms using (room_nid) where room_id = ${roomId}`;
    return row!.n;
  };

  it("refuses one sender without hurting those who send beside", async () => {
    const roomId = await makePublicRoom(alice);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        put(i % 2 ? bob : alice, roomId, `beside-${i}`),
      ),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? 403 : 200)),
    );
  });

  it("writes what waits for a run by what its own request may still do", async () => {
    const roomId = await makePublicRoom(alice);
    const [room] = await server.database.sql<{ roomNid: number }[]>`
      select room_nid from rooms where room_id = ${roomId}`;
    const { edges } = server;
    const fence = raiseFence(
      { commit: ({ audit: _, ...write }) => edges.committer.commit(write) },
      () => false,
    );
    const first: WriterEdges = {
      ...edges,
      committer: {
        commit: ({ audit: _, ...write }) =>
          fence.commit(write).finally(() => fence.shut()),
      },
    };
    const propose = (by: WriterEdges, body: string) =>
      writeToRoom(by, room!.roomNid, [
        {
          draft: {
            type: "m.room.message",
            sender: alice.userId,
            content: { body },
          },
        },
      ]);
    const before = await count(roomId);
    await Promise.all([propose(first, "one"), propose(edges, "two")]);
    expect(await count(roomId)).to.equal(before + 2);
  });

  it("answers a transaction that comes a hundred times at once with one event", async () => {
    const roomId = await makePublicRoom(alice);
    await say(alice, roomId, "wakes the room");
    const before = await count(roomId);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => put(alice, roomId, "again")),
    );
    const ids = answers.map((answer) => must(answer)["event_id"]);
    expect(new Set(ids).size).to.equal(1);
    expect(await count(roomId)).to.equal(before + 1);
  });

  it("answers many old transactions in one go", async () => {
    const roomId = await makePublicRoom(alice);
    const send = () =>
      Promise.all(
        Array.from({ length: 60 }, async (_, i) =>
          must(await put(alice, roomId, `old-${i}`)),
        ),
      );
    const first = await send();
    const before = await count(roomId);
    expect(await send()).to.deep.equal(first);
    expect(await count(roomId)).to.equal(before);
  });

  it("gives the answer of an old transaction to who has left since", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const first = must(await put(bob, roomId, "left"));
    await act(bob, roomId, "leave");
    expect(must(await put(bob, roomId, "left"))).to.deep.equal(first);
    expect((await put(bob, roomId, "left-2")).status).to.equal(403);
  });

  it("makes a room wholly or not at all", async () => {
    const { sql } = server.database;
    const tables = async () => {
      const [row] = await sql`
        select (select count(*) from rooms) as rooms, (select count(*) from events) as events,
          (select count(*) from room_aliases) as aliases, (select count(*) from memberships) as memberships,
          (select count(*) from forward_extremities) as extremities`;
      return row;
    };
    const before = await tables();
    const refused = await alice.post("/createRoom", {
      room_alias_name: "never",
      initial_state: [
        { type: "m.room.power_levels", content: { users: { nobody: 1 } } },
      ],
    });
    expect(refused.status).to.equal(400);
    expect(await tables()).to.deep.equal(before);
    await makeRoom(alice, { room_alias_name: "once" });
    const between = await tables();
    const taken = await alice.post("/createRoom", { room_alias_name: "once" });
    expect(taken.body["errcode"]).to.equal("M_ROOM_IN_USE");
    expect(await tables()).to.deep.equal(between);
  });

  it("keeps snapshots that say what current state says, none deeper than 64", async () => {
    const { sql } = server.database;
    const roomId = await makePublicRoom(alice);
    for (let i = 0; i < 15; i++) {
      await Promise.all(
        Array.from({ length: 10 }, (_, k) =>
          setState(alice, roomId, "org.example.s", { i }, `${(i * k) % 37}`),
        ),
      );
      if (i % 3 === 0) await say(alice, roomId, "between");
    }
    const [room] = await sql<{ roomNid: number; snapshotId: number }[]>`
      select room_nid, snapshot_id from rooms where room_id = ${roomId}`;
    const { roomNid, snapshotId } = room!;
    const current = await sql<{ nid: number }[]>`
      select nid from current_state where room_nid = ${roomNid} order by nid`;
    const snapshots = await listSnapshots(sql, [snapshotId]);
    expect([...snapshots.get(snapshotId)!].sort((a, b) => a - b)).to.deep.equal(
      current.map(({ nid }) => nid),
    );
    const [links] = await sql<{ hops: number; full: number; size: number }[]>`
      select max(hops)::int as hops, count(*) filter (where hops = 0)::int as full,
        (select size from state_snapshots where snapshot_id = ${snapshotId}) as size
      from state_snapshots where room_nid = ${roomNid}`;
    expect(links!.hops).to.equal(64);
    expect(links!.full).to.be.above(1);
    expect(links!.size).to.equal(current.length);
  });

  it("does not tell invited users a name that was redacted", async () => {
    const roomId = await makeRoom(alice, { name: "The secret name" });
    const state = must<{ event_id: string }>(
      await alice.get(path`/rooms/${roomId}/state/m.room.name?format=event`),
    );
    must(
      await alice.put(path`/rooms/${roomId}/redact/${state.event_id}/r`, {}),
    );
    await act(alice, roomId, "invite", { user_id: bob.userId });
    const sync = must<{ rooms: { invite: Json } }>(await bob.get("/sync"));
    const invite = JSON.stringify(sync.rooms.invite[roomId]);
    expect(invite).to.contain("m.room.create");
    expect(invite).to.not.contain("secret");
  });

  it("goes on at the greatest depth there is, in order (CVE-2018-10657)", async () => {
    const roomId = await makePublicRoom(alice);
    await say(alice, roomId, "before");
    await server.database.sql`
      update events set depth = ${Number.MAX_SAFE_INTEGER} where nid in (
        select nid from forward_extremities join rooms using (room_nid) where room_id = ${roomId})`;
    const fresh = await server.startProcess();
    const user = { ...alice, ...fresh.as(alice) };
    for (const body of ["one", "two", "three"]) await say(user, roomId, body);
    const messages = await pageThrough(user, roomId, { dir: "b", limit: 2 });
    expect(bodiesOf(messages)).to.deep.equal(["three", "two", "one", "before"]);
    expect(messages.at(-1)?.type).to.equal("m.room.create");
  });

  it("writes about the same for each of 200 joins", async () => {
    const { sql } = server.database;
    const roomId = await makePublicRoom(alice);
    const size = async (): Promise<number> => {
      const [row] = await sql<{ bytes: number }[]>`
        select sum(octet_length(t::text))::int as bytes from (
          select s::text as t from state_snapshots s union all
          select e::text from events e union all select c::text from state_changes c union all
          select m::text from memberships m union all select k::text from current_state k) all_rows`;
      return row!.bytes;
    };
    const users = Array.from({ length: 200 }, (_, i) => `@joiner${i}:test`);
    await server.edges.committer.commit({
      positions: 1,
      rows: {
        newUsers: users.map((userId) => ({
          userId,
          passwordHash: null,
          isGuest: false,
          createdTs: 0,
        })),
      },
    });
    const costs: number[] = [];
    for (let from = 0; from < 200; from += 40) {
      const before = await size();
      for (const userId of users.slice(from, from + 40)) {
        await joinRoom(server.edges, requesterOf(userId), roomId);
      }
      costs.push(((await size()) - before) / 40);
    }
    expect(Math.max(...costs)).to.be.below(6_000);
    expect(costs.at(-1)! / costs[0]!).to.be.below(1.2);
  });
});

const requesterOf = (userId: string) =>
  ({ userId, isGuest: false }) as Requester;
