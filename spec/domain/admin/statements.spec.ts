import { expect } from "chai";
import { isAllowed } from "../../../src/domain/admin/can.ts";
import { countStatements } from "../../support/count-statements.ts";
import { makeRoom, setState } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";

describe("the statements of a decision", () => {
  const server = useServer();
  let admin: TestUser;

  const bind = (scope: string, id: string) => server.database.sql`
    insert into role_bindings (binding_id, user_id, role_id, scope_kind, scope_id, reason, granted_by, granted_ts)
    select coalesce(max(binding_id), 0) + 1, ${admin.userId}, 'room-moderator', ${scope}, ${id}, 'r', 'spec', 1
    from role_bindings`;

  const count = async (roomId: string) => {
    const counted = countStatements(server.edges.db);
    const edges = { ...server.edges, db: counted.sql };
    const who = { userId: admin.userId as never };
    const allowed = await isAllowed(edges, who, "rooms.block", { roomId });
    return { allowed, statements: counted.taken() };
  };

  before(async () => {
    admin = await server.user("moderator");
  });

  it("is one, by however many bindings", async () => {
    const roomId = await makeRoom(admin);
    expect(await count(roomId)).to.deep.equal({
      allowed: false,
      statements: 1,
    });
    for (let i = 0; i < 50; i += 1) await bind("room", `!other${i}`);
    await bind("room", roomId);
    expect(await count(roomId)).to.deep.equal({ allowed: true, statements: 1 });
  });

  it("is as many for 20 more spaces around a room as for two", async () => {
    const space = () =>
      makeRoom(admin, { creation_content: { type: "m.space" } });
    const link = async (roomId: string, spaceId: string) => {
      await setState(
        admin,
        roomId,
        "m.space.parent",
        { via: ["test"] },
        spaceId,
      );
      await setState(
        admin,
        spaceId,
        "m.space.child",
        { via: ["test"] },
        roomId,
      );
    };
    const [top, middle, roomId] = [
      await space(),
      await space(),
      await makeRoom(admin),
    ];
    await link(middle, top);
    await link(roomId, middle);
    await bind("space", top);
    await count(roomId);
    const few = await count(roomId);
    expect(few.allowed).to.equal(true);
    expect(few.statements).to.be.at.most(4);
    for (let i = 0; i < 20; i += 1) await link(roomId, await space());
    await count(roomId);
    expect(await count(roomId)).to.deep.equal(few);
  }).timeout(60_000);
});
