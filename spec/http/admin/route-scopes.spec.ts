import { expect } from "chai";
import {
  factsOf,
  PERMISSIONS,
  type PermissionName,
} from "../../../src/domain/admin/permissions.ts";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import {
  bodyFor,
  nameOf,
  pathTo,
  type Place,
} from "../../security/requests.ts";
import { bindRole } from "../../support/administrators.ts";
import { makeRoom, setState } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";

const routes = endpoints.filter(({ auth }) => auth === "admin");
const SIDES = ["operations", "security", "audit"] as const;

/** What a path names, of what a scope can hold. */
const namesUser = ({ path }: Endpoint) => path.includes(":userId");
const namesRoom = ({ path }: Endpoint) => /:room(Id|IdOrAlias)\b/.test(path);

/** Whether a scope of users, or of rooms, holds what this route touches. */
const isWithin = (endpoint: Endpoint, of: "user" | "room"): boolean => {
  const { on } = factsOf(endpoint.permission!);
  const isNamed = of === "user" ? namesUser(endpoint) : namesRoom(endpoint);
  return on === of && isNamed;
};

describe("routes of administrators and scopes", () => {
  const server = useServer();
  let owner: TestUser;
  let bystander: TestUser;
  let count = 0;

  before("make a role of all that each side may do", async () => {
    owner = await server.user("owner");
    bystander = await server.user("bystander");
    const names = Object.keys(PERMISSIONS) as PermissionName[];
    for (const side of SIDES) {
      const all = names.filter((name) =>
        ["shared", side].includes(PERMISSIONS[name].side),
      );
      await server.database.sql`
        insert into custom_roles (role_id, description, permissions, side, created_by, changed_ts)
        values (${`all-${side}`}, '', ${all}, ${side}, 'spec', 1)`;
    }
    await server.database.sql`
      insert into user_groups values ('here', '', '@x:test', 1)`;
  });

  const isRefused = async (
    admin: TestUser,
    endpoint: Endpoint,
    place: Place,
  ) => {
    const { status, body, text } = await admin.ask(
      endpoint.method.toUpperCase(),
      pathTo(endpoint, place),
      bodyFor(endpoint, place),
    );
    expect(status, `${nameOf(endpoint)} ${text}`).to.be.below(500);
    return (
      status === 403 && body["org.myelin.permission"] === endpoint.permission
    );
  };
  const placeOf = (roomId: string, user: TestUser): Place => ({
    ...{ roomId, eventId: "$absent", alias: "#absent:test" },
    ...{ userId: user.userId, deviceId: user.deviceId },
  });

  /** An act may end what it is done to: each has its own. */
  const targetOf = async (): Promise<TestUser> =>
    server.user(`target${(count += 1)}`);
  const bindAll = async (
    admin: TestUser,
    binding: Parameters<typeof bindRole>[3],
  ) => {
    for (const side of SIDES)
      await bindRole(server, admin.userId, `all-${side}`, binding);
  };

  it("sees the routes, those that name users and those that name rooms", () => {
    expect(routes.length).to.be.above(150);
    const within = (of: "user" | "room") =>
      routes.filter((each) => isWithin(each, of)).length;
    expect(within("user")).to.be.at.least(40);
    expect(within("room")).to.be.at.least(20);
  });

  for (const kind of ["users", "group"] as const)
    it(`G2: within a scope of the kind ${kind}, let somebody do to its users what is done to users, and nothing else`, async () => {
      const admin = await server.user(`of-${kind}`);
      if (kind === "group")
        await bindAll(admin, { scopeKind: "group", scopeId: "here" });
      for (const endpoint of routes) {
        const target = await targetOf();
        if (kind === "users")
          await bindAll(admin, { scopeKind: "users", users: [target.userId] });
        else
          await server.database.sql`
            insert into user_group_members values ('here', ${target.userId}, '@x:test', 1)`;
        const inside = placeOf("!absent:test", target);
        const may = isWithin(endpoint, "user");
        const label = nameOf(endpoint);
        const outside = placeOf("!absent:test", bystander);
        expect(await isRefused(admin, endpoint, outside), label).to.equal(true);
        expect(await isRefused(admin, endpoint, inside), label).to.equal(!may);
        await server.database.sql`
          delete from role_bindings where user_id = ${admin.userId} and scope_kind = 'users'`;
      }
    }).timeout(120_000);

  for (const kind of ["room", "space"] as const)
    it(`G2: within a scope of the kind ${kind}, let somebody do to its rooms what is done to rooms, and nothing else`, async () => {
      const admin = await server.user(`of-${kind}`);
      const space = await makeRoom(owner, {
        creation_content: { type: "m.space" },
      });
      const other = await makeRoom(owner);
      const via = { via: ["test"] };
      if (kind === "space")
        await bindAll(admin, { scopeKind: "space", scopeId: space });
      for (const endpoint of routes) {
        const may = isWithin(endpoint, "room");
        const roomId = namesRoom(endpoint) ? await makeRoom(owner) : other;
        if (kind === "room") {
          await bindAll(admin, { scopeKind: "room", scopeId: roomId });
        } else if (roomId !== other) {
          await setState(owner, space, "m.space.child", via, roomId);
          await setState(owner, roomId, "m.space.parent", via, space);
        }
        const inside = placeOf(roomId, bystander);
        const outside = placeOf(other, bystander);
        const label = nameOf(endpoint);
        if (roomId !== other)
          expect(await isRefused(admin, endpoint, outside), label).to.equal(
            true,
          );
        expect(await isRefused(admin, endpoint, inside), label).to.equal(!may);
        await server.database.sql`
          delete from role_bindings where user_id = ${admin.userId} and scope_kind = 'room'`;
      }
    }).timeout(120_000);
});
