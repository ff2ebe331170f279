import { expect } from "chai";
import { randomUUID } from "node:crypto";
import { findPushes } from "../../../src/domain/push/find-pushes.ts";
import {
  keepShards,
  PUSH_SHARDS,
  releaseShards,
  type PushShard,
} from "../../../src/storage/push-shards.ts";
import { queuePushes, settlePushes } from "../../../src/storage/push-queue.ts";
import { listRoomPushers } from "../../../src/storage/pushers.ts";
import { findRoomIdentity } from "../../../src/domain/rooms/room-identity.ts";
import { setPusher, usePushing } from "../../support/pushing.ts";
import { useDatabase } from "../../support/database.ts";
import { act, makeRoom, say } from "../../support/rooms.ts";

const HOUR_MS = 3_600_000;

describe("shards of pushers", () => {
  const database = useDatabase();
  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];

  const keep = (holder: string, read: readonly PushShard[] = []) =>
    keepShards(database.sql, holder, read, HOUR_MS);

  beforeEach(async () => {
    await database.sql`
      update push_shards set holder = null, generation = 0, position = 0, expires_ts = '-infinity'`;
    await database.sql`delete from push_processes`;
  });

  it("are as many as the table holds", async () => {
    const rows = await database.sql`select from push_shards`;
    expect(rows.length).to.equal(PUSH_SHARDS);
  });

  it("are all of one process, and spread anew as more come", async () => {
    let ofFirst = await keep(first);
    expect(ofFirst).to.have.length(PUSH_SHARDS);
    expect(await keep(second)).to.deep.equal([]);
    ofFirst = await keep(first, ofFirst);
    expect(ofFirst).to.have.length(PUSH_SHARDS / 2);
    const ofSecond = await keep(second);
    expect(ofSecond).to.have.length(PUSH_SHARDS / 2);
    const held = [...ofFirst, ...ofSecond].map(({ shard }) => shard);
    expect(new Set(held).size).to.equal(PUSH_SHARDS);
    await keep(third);
    expect(await keep(first, ofFirst)).to.have.length(6);
  });

  it("are held by nobody twice, however many want them at once", async () => {
    const holders = Array.from({ length: 8 }, () => randomUUID());
    for (let round = 0; round < 4; round += 1)
      await Promise.all(holders.map((holder) => keep(holder)));
    const held = await Promise.all(holders.map((holder) => keep(holder)));
    const shards = held.flat().map(({ shard }) => shard);
    expect(new Set(shards).size).to.equal(shards.length);
    expect(shards).to.have.length(PUSH_SHARDS);
    for (const each of held) expect(each).to.have.length(2);
  });

  it("go on where they were read to, and are left at once by who stops", async () => {
    const held = await keep(first);
    const read = held.map((shard) => ({ ...shard, position: 7 }));
    await keep(first, read);
    await releaseShards(
      database.sql,
      first,
      read.map((shard) => ({ ...shard, position: 9 })),
    );
    const taken = await keep(second);
    expect(taken).to.have.length(PUSH_SHARDS);
    for (const { generation, position } of taken)
      expect([generation, position]).to.deep.equal([2, 9]);
  });

  it("take nothing from who slept while another process took them", async () => {
    const held = await keep(first);
    await database.sql`update push_shards set expires_ts = clock_timestamp()`;
    await database.sql`delete from push_processes`;
    await keep(second);
    const moved = await queuePushes(database.sql, first, held, 50, []);
    expect(moved).to.deep.equal([]);
    const [row] = await database.sql<{ position: number }[]>`
      select max(position) as position from push_shards`;
    expect(row!.position).to.equal(0);
  });
});

describe("pushing by several processes", () => {
  const { server, openGateway, start } = usePushing({}, { isStarted: false });

  const expireLeases = () => server.database.sql`
    update push_shards set expires_ts = clock_timestamp()`;

  it("goes on where a process was killed: with what it had queued, and with what it had not read", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, roomId, "join");
    const gateway = openGateway();
    await setPusher(bob, gateway.url);

    // A process that read and queued, and was killed before it told anybody.
    const { edges } = server;
    const holder = randomUUID();
    const held = await keepShards(edges.db, holder, [], HOUR_MS);
    const queued = await say(alice, roomId, "queued");
    await edges.notifier.refresh();
    const upTo = edges.notifier.position;
    const room = await findRoomIdentity(edges, roomId);
    const numbers = held.map(({ shard }) => shard);
    const range = { after: 0, upTo };
    const rows = await findPushes(edges, [room!.roomNid], range, numbers);
    expect(rows).to.have.length(1);
    await queuePushes(edges.db, holder, held, upTo, rows);
    const unread = await say(alice, roomId, "unread");
    await expireLeases();

    const other = await server.startProcess();
    const pushing = start(other);
    expect((await gateway.next())["event_id"]).to.equal(queued);
    expect((await gateway.next())["event_id"]).to.equal(unread);

    // Read twice, it is queued once: the place in the stream is the same.
    const again = await findPushes(edges, [room!.roomNid], range, numbers);
    expect(again).to.have.length(1);
    const last = await say(alice, roomId, "last");
    expect((await gateway.next())["event_id"]).to.equal(last);
    expect(gateway.told).to.have.length(3);
    await pushing.stop();
  });

  it("keeps the latest five hundred things for a pusher that fails", async () => {
    const { db, notifier } = server.edges;
    const alice = await server.user("backlog");
    await setPusher(alice, openGateway().url, { pushkey: "backlog" });
    await expireLeases();
    const holder = randomUUID();
    const held = await keepShards(db, holder, [], HOUR_MS);
    const [row] = await db<{ pusherId: number }[]>`
      select pusher_id from pushers where user_id = ${alice.userId}`;
    const { pusherId } = row!;
    const rows = Array.from({ length: 600 }, (_, i) => ({
      ...{ pusherId, position: i + 1, nid: null, roomNid: 1 },
      ...{ thread: "", actions: "[]" },
    }));
    await queuePushes(db, holder, held, notifier.position, rows);
    const settled = { pusherId, position: 10, badge: 0, mailRestMs: null };
    await settlePushes(db, holder, held, [{ ...settled, restMs: 1000 }]);
    const [kept] = await db<{ count: number; first: number }[]>`
      select count(*) as count, min(position) as first from push_queue where pusher_id = ${pusherId}`;
    expect(kept).to.deep.equal({ count: 500, first: 101 });
  });

  it("sees pushers of the shards that are asked for alone", async () => {
    const { db } = server.edges;
    const alice = await server.user("sharded");
    const roomId = await makeRoom(alice);
    await setPusher(alice, openGateway().url, { pushkey: "sharded" });
    const { roomNid } = (await findRoomIdentity(server.edges, roomId))!;
    const all = Array.from({ length: PUSH_SHARDS }, (_, i) => i);
    const [pusher, ...more] = await listRoomPushers(db, [roomNid], all);
    expect(more).to.deep.equal([]);
    const others = all.filter((shard) => shard !== pusher!.shard);
    expect(await listRoomPushers(db, [roomNid], others)).to.deep.equal([]);
  });
});
