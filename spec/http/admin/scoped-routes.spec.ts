import { expect } from "chai";
import {
  factsOf,
  PERMISSIONS,
  type Permission,
  type PermissionName,
} from "../../../src/domain/admin/permissions.ts";
import { BUILT_IN_ROLES } from "../../../src/domain/admin/roles.ts";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import { bodyFor, nameOf, pathTo } from "../../security/requests.ts";
import { bindRole, customRole } from "../../support/administrators.ts";
import { makeRoom, setState } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";

type Routed = Endpoint & { permission: Permission };

const routesOn = (on: "user" | "room"): Routed[] =>
  endpoints.filter(
    (each): each is Routed =>
      each.auth === "admin" &&
      each.permission !== undefined &&
      factsOf(each.permission).on === on,
  );

const permissionsOn = (on: "user" | "room"): PermissionName[] =>
  (Object.keys(PERMISSIONS) as PermissionName[]).filter(
    (name) => factsOf(name).on === on,
  );

/** What is asked about: the path names it, or it is of the whole server. */
interface Place {
  user: TestUser;
  roomId: string;
}

const namesUser = ({ path }: Endpoint) => path.includes("/:userId");
const namesRoom = ({ path }: Endpoint) => path.includes("/:room");

describe("routes of administrators and scopes", () => {
  const server = useServer();
  let owner: TestUser;
  let count = 0;

  before(async () => {
    owner = await server.user("owner");
    await server.database.sql`
      insert into user_groups values ('here', '', '@x:test', 1)`;
    await customRole(server, "all-of-users", permissionsOn("user"));
    await customRole(server, "all-of-rooms", permissionsOn("room"));
  });

  const newUser = () => server.user(`user${(count += 1)}`);

  /** Whether who asks was told that this permission is missing. */
  async function isRefused(
    by: TestUser,
    endpoint: Routed,
    { user, roomId }: Place,
  ): Promise<boolean> {
    const { userId, deviceId } = user;
    const place = { userId, deviceId, roomId, eventId: "$absent" };
    const all = { ...place, alias: "#absent:test" };
    const { status, body, text } = await by.ask(
      endpoint.method.toUpperCase(),
      pathTo(endpoint, all),
      bodyFor(endpoint, all),
    );
    expect(status, `${nameOf(endpoint)} ${text}`).to.be.below(500);
    return (
      status === 403 &&
      body["org.myelin.permission"] === endpoint.permission &&
      body["error"] === "You are not allowed to do this."
    );
  }

  const ofUsers: readonly [
    role: string,
    permissions: readonly Permission[],
    kind: "group" | "users",
  ][] = [
    ["all-of-users", permissionsOn("user"), "group"],
    ["all-of-users", permissionsOn("user"), "users"],
    ["helpdesk", BUILT_IN_ROLES.get("helpdesk")!.permissions, "group"],
    ["user-manager", BUILT_IN_ROLES.get("user-manager")!.permissions, "group"],
  ];
  for (const [role, permissions, kind] of ofUsers)
    it(`G2: ${role} within ${kind === "group" ? "a group" : "some users"} is let in to those alone, by every route of users`, async () => {
      const { sql } = server.database;
      const admin = await newUser();
      const outside = await newUser();
      const binding = await bindRole(server, admin.userId, role, {
        scopeKind: kind,
        ...(kind === "group" && { scopeId: "here" }),
      });
      const bring = ({ userId }: TestUser) =>
        kind === "group"
          ? sql`insert into user_group_members values ('here', ${userId}, '@x:test', 1)`
          : sql`insert into binding_users (binding_id, user_id) values (${binding}, ${userId})`;
      const read = await newUser();
      await bring(read);
      const routes = routesOn("user");
      expect(routes.filter(namesUser)).to.have.length.above(30);
      for (const route of routes) {
        const label = nameOf(route);
        const roomId = "!absent:test";
        const away = await isRefused(admin, route, { user: outside, roomId });
        expect(away, `${label} outside`).to.equal(true);
        let inside = read;
        if (route.method !== "get") {
          inside = await newUser();
          await bring(inside);
        }
        const here = await isRefused(admin, route, { user: inside, roomId });
        const may = permissions.includes(route.permission) && namesUser(route);
        expect(here, `${label} inside`).to.equal(!may);
      }
    }).timeout(240_000);

  it("G2: all of rooms within a space is let in to what both sides say is in it, by every route of rooms", async () => {
    const admin = await newUser();
    const via = { via: ["test"] };
    const space = await makeRoom(owner, {
      creation_content: { type: "m.space" },
    });
    const named = async () => {
      const roomId = await makeRoom(owner);
      await setState(owner, space, "m.space.child", via, roomId);
      return roomId;
    };
    const within = async () => {
      const roomId = await named();
      await setState(owner, roomId, "m.space.parent", via, space);
      return roomId;
    };
    await bindRole(server, admin.userId, "all-of-rooms", {
      ...{ scopeKind: "space", scopeId: space },
    });
    const [outside, read] = [await named(), await within()];
    const user = owner;
    const routes = routesOn("room");
    expect(routes.filter(namesRoom)).to.have.length.above(15);
    for (const route of routes) {
      const label = nameOf(route);
      const away = await isRefused(admin, route, { user, roomId: outside });
      expect(away, `${label} outside`).to.equal(true);
      const roomId = route.method === "get" ? read : await within();
      const here = await isRefused(admin, route, { user, roomId });
      expect(here, `${label} inside`).to.equal(!namesRoom(route));
    }
  }).timeout(240_000);
});
