import { expect } from "chai";
import { makeRoom, must, setState } from "../support/rooms.ts";
import { type Json, useServer } from "../support/server.ts";
import {
  askSliding,
  oneList,
  SlidingReader,
} from "../support/sliding-reader.ts";

describe("sliding sync under load that nobody means well", () => {
  const server = useServer();

  const listsOf = (count: number): Json => ({
    lists: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `list${i}`,
        { ranges: [[0, 9]], timeline_limit: 1, required_state: [] },
      ]),
    ),
  });

  it("row 65: takes 100 lists and refuses 101 and 1,000", async () => {
    const alice = await server.user("lists");
    await makeRoom(alice);
    must(await askSliding(alice, listsOf(100)));
    for (const count of [101, 1000]) {
      const answer = await askSliding(alice, listsOf(count));
      expect(answer.status).to.equal(400);
    }
  });

  it("row 65: refuses more state, ranges and subscriptions than anybody needs", async () => {
    const alice = await server.user("much");
    const pairs = (count: number) =>
      Array.from({ length: count }, (_, i) => [`x.${i}`, ""]);
    const ranges = (count: number) =>
      Array.from({ length: count }, (_, i) => [i, i]);
    const subscriptions = (count: number) => ({
      room_subscriptions: Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`!${i}:test`, {}]),
      ),
    });
    must(await askSliding(alice, oneList({ required_state: pairs(200) })));
    must(await askSliding(alice, oneList({ ranges: ranges(100) })));
    must(await askSliding(alice, subscriptions(1000)));
    for (const body of [
      oneList({ required_state: pairs(201) }),
      oneList({ ranges: ranges(101) }),
      oneList({ ranges: [[-1, 5]] }),
      oneList({ ranges: [[0]] }),
      oneList({ timeline_limit: "1" }),
      subscriptions(1001),
      { conn_id: "x".repeat(256) },
    ]) {
      const { status } = await askSliding(alice, body);
      expect(status, JSON.stringify(body).slice(0, 60)).to.equal(400);
    }
    const { status } = await askSliding(alice, subscriptions(10_000));
    expect(status).to.be.oneOf([400, 413]);
  });

  it("row 65: clamps ranges and limits of 1e9", async () => {
    const alice = await server.user("ranges");
    const roomId = await makeRoom(alice);
    for (let i = 0; i < 120; i += 1)
      await setState(alice, roomId, "x.y", { i }, String(i));
    const body = oneList({ timeline_limit: 1e9 }, [0, 1e9]);
    const { rooms } = await new SlidingReader(alice, body).next();
    expect(rooms[roomId]!.timeline).to.have.length(100);
    const far = oneList({}, [1e9, 2e9]);
    const { lists, rooms: none } = await new SlidingReader(alice, far).next();
    expect(none).to.deep.equal({});
    expect(lists["all"]!.count).to.equal(1);
    must(await askSliding(alice, oneList({}, [5, 1])));
  });

  it("row 65: answers 1,000 rooms at most, and the others at once after them", async function () {
    this.timeout(120_000);
    const alice = await server.user("rooms");
    const roomIds: string[] = [];
    while (roomIds.length < 1010) {
      const some = Array.from({ length: 20 }, () => makeRoom(alice));
      roomIds.push(...(await Promise.all(some)));
    }
    const body = oneList({ timeline_limit: 1 }, [0, 1e9]);
    const reader = new SlidingReader(alice, body);
    const first = Object.keys((await reader.next()).rooms);
    expect(first).to.have.length(1000);
    const second = Object.keys((await reader.next({}, 30_000)).rooms);
    expect([...first, ...second]).to.have.members(roomIds);
  });

  it("row 65: keeps 20 connections of a device, those that were used last", async () => {
    const alice = await server.user("connections");
    const other = await server.user("bystander");
    await makeRoom(alice);
    await makeRoom(other);
    const bystander = new SlidingReader(other, oneList());
    await bystander.next();
    const readers: SlidingReader[] = [];
    for (let i = 0; i < 30; i += 1) {
      const body = { ...oneList(), conn_id: `connection ${i}` };
      const reader = new SlidingReader(alice, body);
      await reader.next();
      readers.push(reader);
    }
    const [row] = await server.edges.db<{ count: number }[]>`
      select count(distinct conn_id) as count from sliding_sync_states
      where user_id = ${alice.userId}`;
    expect(row!.count).to.equal(20);
    await readers[29]!.next();
    await bystander.next();
    const process = await server.startProcess();
    const { pos, body } = readers[0]!;
    const answer = await askSliding(process.as(alice), body, { pos: pos! });
    expect(answer.body["errcode"]).to.equal("M_UNKNOWN_POS");
  });

  it("row 65: keeps few states of a connection that begins anew again and again", async () => {
    const alice = await server.user("churn");
    await makeRoom(alice);
    let last = new SlidingReader(alice, oneList());
    for (let i = 0; i < 40; i += 1) {
      last = new SlidingReader(alice, oneList());
      await last.next();
    }
    const { count } = await server.edges.db`
      select from sliding_sync_states where user_id = ${alice.userId}`;
    expect(count).to.be.at.most(9);
    expect((await last.next()).rooms).to.deep.equal({});
  });

  it("GHSA-56w4-5538-8v8h GHSA-jhcg-5392-5mjw: serves no malformed name, avatar or hero", async () => {
    const alice = await server.user("malformed");
    const name = { toString: "x" };
    const roomId = await makeRoom(alice);
    for (const [type, content] of [
      ["m.room.name", { name }],
      ["m.room.avatar", { url: ["mxc://test/a"] }],
    ] as const)
      await setState(alice, roomId, type, content);
    const { rooms } = await new SlidingReader(alice, oneList()).next();
    expect(rooms[roomId]).not.to.have.any.keys("name", "avatar");
    await setState(alice, roomId, "m.room.avatar", { url: "https://evil/a" });
    const { rooms: again } = await new SlidingReader(alice, oneList()).next();
    expect(again[roomId]).not.to.have.property("avatar");
  });
});
