import { expect } from "chai";
import { findPushes } from "../../../src/domain/push/find-pushes.ts";
import { listNotifications } from "../../../src/domain/push/notifications.ts";
import { packParcels } from "../../../src/domain/push/parcels.ts";
import { findRoomIdentity } from "../../../src/domain/rooms/room-identity.ts";
import type { Edges } from "../../../src/edges.ts";
import { keepShards, PUSH_SHARDS } from "../../../src/storage/push-shards.ts";
import { listDuePushes, queuePushes } from "../../../src/storage/push-queue.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { setPusher } from "../../support/pushing.ts";
import { requesterOf } from "../../support/requester.ts";
import { act, makeRoom, must, path, say } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";
import { randomUUID } from "node:crypto";

const URL = "https://push.example.org/_matrix/push/v1/notify";
const SHARDS = Array.from({ length: PUSH_SHARDS }, (_, i) => i);

describe("the statements of pushing", () => {
  const server = useServer();

  /** Edges that count, with nothing remembered. */
  function counting() {
    const { sql, taken } = countStatements(server.edges.db);
    const memory = new ProcessMemory();
    const edges: Edges = { ...server.edges, db: sql, memory };
    return { edges, taken };
  }

  /** Rooms in which so many have pushers, some of them with rules of their own. */
  async function makeRooms(name: string, rooms: number, members: number) {
    const owner = await server.user(`${name}-owner`);
    const users: TestUser[] = [];
    for (let i = 0; i < members; i += 1) {
      const user = await server.user(`${name}-${i}`);
      users.push(user);
      await setPusher(user, URL, { pushkey: `${name} ${i}` });
      if (i % 2 === 0)
        must(
          await user.put("/pushrules/global/content/cake", {
            pattern: "cake",
            actions: ["notify"],
          }),
        );
      if (i % 3 === 0)
        must(
          await user.put(
            path`/user/${user.userId}/account_data/m.ignored_user_list`,
            { ignored_users: { "@nobody:test": {} } },
          ),
        );
    }
    const roomIds: string[] = [];
    for (let i = 0; i < rooms; i += 1) {
      const roomId = await makeRoom(owner, { preset: "public_chat" });
      await Promise.all(users.map((user) => act(user, roomId, "join")));
      roomIds.push(roomId);
    }
    const roomNids = await Promise.all(
      roomIds.map(
        async (id) => (await findRoomIdentity(server.edges, id))!.roomNid,
      ),
    );
    return { owner, users, roomIds, roomNids };
  }

  it("are as many for 8 rooms, 80 events and 12 pushers as for 2, 4 and 3", async function () {
    this.timeout(60_000);
    const holder = randomUUID();
    const held = await keepShards(server.edges.db, holder, [], 60_000);
    const measure = async (
      {
        owner,
        roomIds,
        roomNids,
        users,
      }: Awaited<ReturnType<typeof makeRooms>>,
      events: number,
    ) => {
      const after = await server.edges.notifier.refresh();
      for (const roomId of roomIds)
        for (let i = 0; i < events; i += 1) await say(owner, roomId, "cake");
      const upTo = await server.edges.notifier.refresh();
      const { edges, taken } = counting();
      const rows = await findPushes(edges, roomNids, { after, upTo }, SHARDS);
      const found = taken();
      expect(rows).to.have.length(roomIds.length * events * users.length);
      await queuePushes(server.edges.db, holder, held, upTo, rows);
      const ids = [...new Set(rows.map(({ pusherId }) => pusherId))];
      const packing = counting();
      const due = await listDuePushes(packing.edges.db, ids, 30);
      const parcels = await packParcels(packing.edges, due);
      expect(parcels).to.have.length(users.length);
      return { found, packed: packing.taken() };
    };
    const few = await measure(await makeRooms("few", 2, 3), 2);
    const many = await measure(await makeRooms("many", 8, 12), 10);
    expect(many).to.deep.equal(few);
    expect(few.found).to.be.below(16);
    expect(few.packed).to.be.below(16);
  });

  it("of a page of notifications are as many for 20 rooms of 200 events as for 2 of 2", async function () {
    this.timeout(60_000);
    const measure = async (name: string, rooms: number, events: number) => {
      const made = await makeRooms(name, rooms, 1);
      for (let i = 0; i < events; i += 1)
        await say(made.owner, made.roomIds[i % rooms]!, "cake");
      const { edges, taken } = counting();
      const page = await listNotifications(edges, requesterOf(made.users[0]!), {
        before: Number.MAX_SAFE_INTEGER,
        limit: 100,
        isHighlightOnly: false,
      });
      expect(page.notifications).to.have.length(Math.min(events, 100));
      return taken();
    };
    const few = await measure("notified-few", 2, 2);
    expect(await measure("notified-many", 20, 200)).to.equal(few);
  });
});
