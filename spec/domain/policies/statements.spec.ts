import { expect } from "chai";
import { parseClientFilter } from "../../../src/core/filter.ts";
import type { PolicyDocument } from "../../../src/core/policy/document.ts";
import {
  decidePairs,
  listWithheld,
} from "../../../src/domain/policies/enforce.ts";
import { sync } from "../../../src/domain/sync/sync.ts";
import type { SyncRequest } from "../../../src/domain/sync/sync-request.ts";
import { listMembershipsOf } from "../../../src/storage/memberships.ts";
import { Caller } from "../../../src/util/caller.ts";
import { derive } from "../../../src/util/derive.ts";
import { countStatements } from "../../support/count-statements.ts";
import { policyMakers, type PolicyMakers } from "../../support/policies.ts";
import { makeRoom, say } from "../../support/rooms.ts";
import { requesterOf } from "../../support/requester.ts";
import { useServer } from "../../support/server.ts";

/** It asks for all that can be asked for. */
const curious: PolicyDocument = {
  rules: [
    {
      name: "curious",
      effect: "deny",
      actions: ["read"],
      when: {
        all: [
          { in: ["!absent:test", { resource: "spaces" }] },
          { eq: [{ resource: "class" }, { resource: "membership" }] },
          { eq: [{ resource: "encrypted" }, { env: "verified_device" }] },
        ],
      },
    },
  ],
};

describe("the statements of policies", () => {
  const server = useServer();
  let makers: PolicyMakers;

  before(async () => {
    makers = await policyMakers(server);
  });

  it("are as many for 500 rooms and for 100 users as for 10, and none without a policy", async function () {
    this.timeout(60_000);
    const user = await server.user("user");
    const { userId, deviceId } = user;
    await Promise.all(Array.from({ length: 100 }, () => makeRoom(user)));
    const { sql } = server.database;
    await sql`
      insert into rooms (room_nid, room_id, room_version, created_ts)
      select -i, '!more' || i, '12', 1 from generate_series(1, 400) i`;
    const rows = await sql<{ roomNid: number }[]>`
      select room_nid from rooms order by room_nid desc`;
    const nids = rows.map(({ roomNid }) => roomNid);
    expect(nids).to.have.length(500);
    const counting = countStatements(server.edges.db);
    const edges = derive(server.edges, {
      db: counting.sql,
      asker: { userId, deviceId, ip: "127.0.0.1" },
    });
    const count = async (work: Promise<unknown>) => {
      await work;
      return counting.taken();
    };
    const pairs = (users: number) =>
      Array.from({ length: users }, (_, i) => ({
        userId: `@user${i}:test`,
        roomNid: nids[i]!,
      }));
    expect(await count(listWithheld(edges, userId, nids))).to.equal(0);
    await makers.enact("curious", curious);
    // Events that were opened once are remembered.
    await listWithheld(edges, userId, nids);
    counting.taken();
    const few = await count(listWithheld(edges, userId, nids.slice(0, 10)));
    expect(few).to.be.within(4, 8);
    expect(await count(listWithheld(edges, userId, nids))).to.equal(few);
    const ofFew = await count(decidePairs(edges, pairs(10)));
    expect(await count(decidePairs(edges, pairs(100)))).to.equal(ofFew);
    await makers.lift("curious");
  });

  it("are once those of a decision for a sync, whatever it reads", async () => {
    const user = await server.user("reader");
    const roomId = await makeRoom(user);
    for (let i = 0; i < 3; i += 1) await say(user, roomId, "news");
    const { userId, deviceId } = user;
    const counting = countStatements(server.edges.db);
    const edges = derive(server.edges, {
      db: counting.sql,
      asker: { userId, deviceId, ip: "127.0.0.1" },
    });
    const nids = (
      await listMembershipsOf(server.edges.db, userId, ["join"])
    ).map(({ roomNid }) => roomNid);
    const count = async (work: () => Promise<unknown>) => {
      await work();
      counting.taken();
      await work();
      return counting.taken();
    };
    const request: SyncRequest = {
      requester: requesterOf(user),
      ...{
        since: null,
        timeoutMs: 0,
        isFullState: false,
        stateAfterName: null,
      },
      filter: parseClientFilter({}),
    };
    const answer = () => sync(edges, request, new Caller());
    const without = await count(answer);
    await makers.enact("curious", curious);
    const once = await count(() => listWithheld(edges, userId, nids));
    expect(await count(answer)).to.equal(without + once);
    await makers.lift("curious");
  });
});
