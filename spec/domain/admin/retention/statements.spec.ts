import { expect } from "chai";
import { refreshRooms } from "../../../../src/domain/admin/retention/refresh-rooms.ts";
import { readRetentionStatus } from "../../../../src/domain/admin/retention/status.ts";
import { takeLease } from "../../../../src/storage/leases.ts";
import { administrator } from "../../../support/administrators.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { DAY_MS, putInForce } from "../../../support/retention.ts";
import { makeRoom, say } from "../../../support/rooms.ts";
import { type TestUser, useServer } from "../../../support/server.ts";

describe("the statements of retention", () => {
  const server = useServer({ "admin.undo_window_hours": 0 });
  let alice: TestUser;

  before(async () => {
    const admin = await administrator(server, "admin", "security-admin");
    alice = await server.user("alice");
    await putInForce(admin, "all", {
      ...{ scope: { kind: "server" }, max_lifetime: DAY_MS },
    });
  });

  const makeRooms = async (count: number) => {
    for (let i = 0; i < count; i += 1)
      await say(alice, await makeRoom(alice), "x");
  };

  it("are as many for 60 rooms as for 10", async () => {
    const { edges } = await server.startProcess();
    const lease = await takeLease(edges.db, "counting", 60_000);
    const { sql, taken } = countStatements(edges.db);
    const counting = { ...edges, db: sql };
    const count = async () => {
      taken();
      await refreshRooms(counting, lease!);
      const refreshed = taken();
      const { policies } = await readRetentionStatus(counting);
      return { refreshed, status: taken(), rooms: policies[0]!.rooms };
    };
    await makeRooms(10);
    const few = await count();
    await makeRooms(50);
    expect(await count()).to.deep.equal({ ...few, rooms: few.rooms + 50 });
  }).timeout(60_000);
});
