import { expect } from "chai";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAuthenticate } from "../../../src/domain/accounts/authenticate.ts";
import { rateLimiterOf } from "../../../src/domain/accounts/rate-limits.ts";
import { createCan } from "../../../src/domain/admin/can.ts";
import { findRoomOfAlias } from "../../../src/domain/directory/resolve-room.ts";
import { createApp } from "../../../src/http/app.ts";
import { endpoint } from "../../../src/http/endpoint.ts";
import { createListener } from "../../../src/http/listener.ts";
import { bindRole } from "../../support/administrators.ts";
import { makeRoom, must, path, setState } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";

/** As routes of the admin API will be: by room, by room or alias, by user. */
const endpoints = [
  endpoint<{ params: { roomId: string } }>({
    method: "get",
    path: "/x/rooms/:roomId",
    auth: "admin",
    permission: "rooms.read",
    handle: async (_edges, { params }) => ({ room: params.roomId }),
  }),
  endpoint({
    method: "get",
    path: "/x/rooms",
    auth: "admin",
    permission: "rooms.read",
    handle: async () => ({ all: true }),
  }),
  endpoint<{ params: { roomIdOrAlias: string } }>({
    method: "get",
    path: "/x/any/:roomIdOrAlias",
    auth: "admin",
    permission: "rooms.read",
    handle: async (_edges, { params }) => ({ room: params.roomIdOrAlias }),
  }),
  endpoint<{ params: { userId: string } }>({
    method: "post",
    path: "/x/users/:userId",
    auth: "admin",
    permission: "users.credentials",
    handle: async (_edges, { params }) => ({ user: params.userId }),
  }),
];

describe("scopes", () => {
  const server = useServer();
  let listener: Server;
  let admin: TestUser;
  let owner: TestUser;

  before(async () => {
    const { edges } = server;
    const app = createApp({
      edges,
      endpoints,
      authenticate: createAuthenticate(edges),
      can: createCan(edges),
      findRoom: (alias) => findRoomOfAlias(edges, alias),
      rateLimiter: rateLimiterOf(edges),
    });
    listener = createListener(app);
    await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
    owner = await server.user("owner");
  });
  beforeEach(async () => {
    admin = await server.user(`admin${(admins += 1)}`);
  });
  after((done) => {
    listener.closeAllConnections();
    listener.close(() => done());
  });
  let admins = 0;

  const ask = async (target: string, method = "GET"): Promise<number> => {
    const { port } = listener.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}${target}`, {
      method,
      headers: { authorization: `Bearer ${admin.accessToken}` },
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const seesRoom = async (roomId: string) =>
    (await ask(path`/x/rooms/${roomId}`)) === 200;
  const resets = async (userId: string) =>
    (await ask(path`/x/users/${userId}`, "POST")) === 200;
  const moderate = (scopeId: string, scopeKind: "room" | "space" = "room") =>
    bindRole(server, admin.userId, "room-moderator", { scopeKind, scopeId });

  it("G2: of a room hold that room, and no other spelling of it", async () => {
    const [roomId, otherId] = [await makeRoom(owner), await makeRoom(owner)];
    await moderate(roomId);
    expect(await seesRoom(roomId)).to.equal(true);
    expect(await seesRoom(otherId)).to.equal(false);
    expect(await ask(`/x/rooms/${roomId}`)).to.equal(200);
    const encoded = [...Buffer.from(roomId)]
      .map((byte) => `%${byte.toString(16)}`)
      .join("");
    expect(await ask(`/x/rooms/${encoded}`)).to.equal(200);
    const twice = encodeURIComponent(encoded);
    for (const target of [
      `/x/rooms/${twice}`,
      path`/x/rooms/${roomId.toUpperCase()}`,
      path`/x/rooms/${`${roomId} `}`,
      path`/x/rooms/${`${roomId}/../${otherId}`}`,
      `/x/rooms/${roomId}%2F..%2F${otherId}`,
      "/x/rooms",
    ])
      expect(await ask(target), target).to.equal(403);
    for (const target of ["/x/rooms/", `/x/rooms/${roomId}/`])
      expect(await ask(target), target).to.equal(404);
  });

  it("G2: of a room do not follow an alias elsewhere", async () => {
    const [roomId, otherId] = [await makeRoom(owner), await makeRoom(owner)];
    await moderate(roomId);
    const alias = `#moving${admins}:test`;
    const target = path`/directory/room/${alias}`;
    must(await owner.put(target, { room_id: roomId }));
    const any = path`/x/any/${alias}`;
    expect(await ask(any)).to.equal(200);
    expect(await ask(path`/x/rooms/${alias}`)).to.equal(403);
    must(await owner.delete(target));
    expect(await ask(any)).to.equal(403);
    must(await owner.put(target, { room_id: otherId }));
    expect(await ask(any)).to.equal(403);
    expect(await ask(path`/x/any/${roomId}`)).to.equal(200);
  });

  it("G2: of a room do not follow its upgrade", async () => {
    const roomId = await makeRoom(owner, { room_version: "11" });
    await moderate(roomId);
    const { replacement_room } = must<{ replacement_room: string }>(
      await owner.post(path`/rooms/${roomId}/upgrade`, { new_version: "12" }),
    );
    expect(await seesRoom(roomId)).to.equal(true);
    expect(await seesRoom(replacement_room)).to.equal(false);
  });

  it("G2: of a space hold what both sides say is in it, and nothing that one says", async () => {
    const space = (user: TestUser = owner) =>
      makeRoom(user, { creation_content: { type: "m.space" } });
    const via = { via: ["test"] };
    const [top, inner] = [await space(), await space()];
    await moderate(top, "space");
    const [room, deep] = [await makeRoom(owner), await makeRoom(owner)];
    const says = (
      id: string,
      type: string,
      of: string,
      content: object = via,
    ) => setState(owner, id, type, content as Record<string, unknown>, of);
    expect(await seesRoom(top)).to.equal(true);
    await says(top, "m.space.child", room);
    expect(await seesRoom(room), "the space alone").to.equal(false);
    await says(top, "m.space.child", room, {});
    await says(room, "m.space.parent", top);
    expect(await seesRoom(room), "the room alone").to.equal(false);
    await says(top, "m.space.child", room, { via: "test" });
    expect(await seesRoom(room), "no list of servers").to.equal(false);
    await says(top, "m.space.child", room);
    expect(await seesRoom(room), "both").to.equal(true);
    await says(top, "m.space.child", inner);
    await says(inner, "m.space.parent", top);
    await says(inner, "m.space.child", deep);
    await says(deep, "m.space.parent", inner);
    expect(await seesRoom(deep), "both, twice").to.equal(true);
    await says(inner, "m.space.parent", top, {});
    expect(await seesRoom(deep), "a step is gone").to.equal(false);
    const redacted = await says(room, "m.space.parent", top);
    must(await owner.put(path`/rooms/${room}/redact/${redacted}/r`, {}));
    expect(await seesRoom(room), "redacted").to.equal(false);
    // A circle ends.
    await says(inner, "m.space.parent", deep);
    await says(deep, "m.space.child", inner);
    expect(await seesRoom(deep)).to.equal(false);
  });

  it("G2: of a group and of users hold those users, and no rooms", async () => {
    const [bob, carol] = [
      await server.user(`bob${admins}`),
      await server.user(`carol${admins}`),
    ];
    const { sql } = server.database;
    await sql`insert into user_groups values ('here', '', '@x:test', 1) on conflict do nothing`;
    await sql`insert into user_group_members values ('here', ${bob.userId}, '@x:test', 1)`;
    await bindRole(server, admin.userId, "helpdesk", {
      scopeKind: "group",
      scopeId: "here",
    });
    expect(await resets(bob.userId)).to.equal(true);
    expect(await resets(carol.userId)).to.equal(false);
    expect(await resets(bob.userId.toUpperCase())).to.equal(false);
    await bindRole(server, admin.userId, "helpdesk", {
      scopeKind: "users",
      users: [carol.userId],
    });
    expect(await resets(carol.userId)).to.equal(true);
    expect(await ask("/x/rooms")).to.equal(403);
    await sql`delete from user_group_members where user_id = ${bob.userId}`;
    expect(await resets(bob.userId)).to.equal(false);
  });

  it("G2: give no hold over an account with more power", async () => {
    await bindRole(server, admin.userId, "system-admin");
    const [plain, helper, granter] = [
      await server.user(`plain${admins}`),
      await server.user(`helper${admins}`),
      await server.user(`granter${admins}`),
    ];
    await bindRole(server, helper.userId, "helpdesk");
    await bindRole(server, granter.userId, "security-admin", {
      expiresInMs: 60_000,
    });
    expect(await resets(plain.userId)).to.equal(true);
    expect(await resets(helper.userId)).to.equal(true);
    expect(await resets(granter.userId)).to.equal(false);
    await server.database.sql`
      update role_bindings set expires_ts = 1 where user_id = ${granter.userId}`;
    expect(await resets(granter.userId)).to.equal(true);
  });
});

describe("scopes in the admin API", () => {
  const server = useServer();
  let owner: TestUser;

  before(async () => {
    owner = await server.user("owner");
  });

  it("G2: of a room and of a space tell nothing of rooms beneath it that one side names", async () => {
    const moderator = await server.user("moderator");
    const via = { via: ["test"] };
    const space = await makeRoom(owner, {
      creation_content: { type: "m.space" },
    });
    const named = (name: string, of: object = {}) =>
      makeRoom(owner, { ...of, name });
    const both = await named("Both say it");
    const inner = await named("Hidden space", {
      creation_content: { type: "m.space" },
    });
    const [alone, deep] = [await named("Hidden"), await named("Hidden deeper")];
    const child = (parent: string, id: string) =>
      setState(owner, parent, "m.space.child", via, id);
    for (const id of [both, inner, alone]) await child(space, id);
    await child(inner, deep);
    await setState(owner, both, "m.space.parent", via, space);
    await setState(owner, deep, "m.space.parent", via, inner);
    const bind = (scopeKind: "room" | "space") =>
      bindRole(server, moderator.userId, "room-moderator", {
        ...{ scopeKind, scopeId: space },
      });
    const walk = async () => {
      const seen: unknown[] = [];
      let from = "";
      do {
        const answer = await moderator.get(
          `/_synapse/admin/v1/rooms/${space}/hierarchy?limit=2${from}`,
        );
        const page = must<{ rooms: Json[]; next_batch?: string }>(answer);
        seen.push(...page.rooms.map(({ room_id: id }) => id));
        if (seen.length < 3) expect(answer.text).to.not.include("Hidden");
        from = page.next_batch ? `&from=${page.next_batch}` : "";
      } while (from !== "");
      return seen;
    };
    await bind("room");
    expect(await walk()).to.deep.equal([space]);
    await bind("space");
    expect(await walk()).to.have.members([space, both]);
    await bindRole(server, moderator.userId, "room-moderator");
    expect(await walk()).to.have.members([space, both, inner, alone, deep]);
    await server.database.sql`
      delete from role_bindings where user_id = ${moderator.userId} and scope_kind = 'server'`;
    expect(await walk()).to.have.members([space, both]);
  });

  it("G2: say why an act is refused: a permission is missing, or another one has more power", async () => {
    const helper = await server.user("helper");
    const root = await server.user("root");
    const [plain, granter] = [
      await server.user("plain"),
      await server.user("granter"),
    ];
    await bindRole(server, helper.userId, "helpdesk");
    await bindRole(server, root.userId, "system-admin");
    await bindRole(server, granter.userId, "security-admin");
    const reset = (by: TestUser, { userId }: TestUser) =>
      by.post(`/_synapse/admin/v1/reset_password/${userId}`, {
        new_password: "another long password",
      });
    must(await reset(helper, plain));
    const outranked = { errcode: "M_FORBIDDEN", "org.myelin.reason": "target" };
    for (const by of [helper, root]) {
      const { status, body } = await reset(by, granter);
      expect(status).to.equal(403);
      expect(body).to.include(outranked);
      expect(body).to.not.have.property("org.myelin.permission");
    }
    // Whom the body names.
    const validity = await root.post(
      "/_synapse/admin/v1/account_validity/validity",
      { user_id: granter.userId },
    );
    expect(validity.body).to.include(outranked);
    const missing = await reset(owner, granter);
    expect(missing.body).to.include({
      "org.myelin.permission": "users.credentials",
    });
    expect(missing.body).to.not.have.property("org.myelin.reason");
  });
});

describe("the listener of clients", () => {
  const server = useServer({ "listeners.admin.on_client_listener": false });

  it("serves no admin API, but the registration that clients know", async () => {
    const user = await server.user("alice");
    for (const target of [
      "/_myelin/admin/v1/roles",
      "/_myelin/admin/v1/me/permissions",
    ]) {
      const answer = await user.get(target);
      expect(answer.status).to.equal(404);
      expect(answer.body["errcode"]).to.equal("M_UNRECOGNIZED");
    }
    const nonce = await server.get("/_synapse/admin/v1/register");
    expect(nonce.body["errcode"]).to.equal("M_UNKNOWN");
  });
});
