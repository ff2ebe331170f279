import { expect } from "chai";
import { administrator } from "../../support/administrators.ts";
import { imageOf, upload } from "../../support/media.ts";
import { makeRoom, must, say, send } from "../../support/rooms.ts";
import { type Answer, type Json, useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

const ADMIN = "/_synapse/admin";
const CLIENT = "/_matrix/client";

/**
 * The requests of synadm 0.38, command by command, as it sends them: ids stand in paths
 * as they are, what has no body has no content type, and a GET may have one.
 */
describe("synadm", () => {
  const server = useServer({
    "registration.mode": "token",
    "admin.undo_window_hours": 0,
  });
  let root: TestUser;
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    root = await administrator(server, "root", "system-admin");
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  /** As its library sends it. */
  const wire = (method: string, path: string, body?: Json): Promise<Answer> =>
    root.ask(method, path, body, {
      headers: {
        accept: "application/json",
        "user-agent": "python-requests/2.34.2",
        ...(body && { "content-type": "application/json" }),
        ...(!body && method === "POST" && { "content-length": "0" }),
      },
    });
  const asked = async (method: string, path: string, body?: Json) =>
    must(await wire(method, path, body));
  const room = (name: string) =>
    makeRoom(alice, {
      preset: "public_chat",
      name: `Room ${name}`,
      room_alias_name: name,
    });
  const one = (list: unknown): Json => (list as Json[])[0]!;

  it("version", async () => {
    expect(await asked("GET", `${ADMIN}/v1/server_version`)).to.have.keys(
      "server_version",
    );
  });

  it("user list, user search: asks in both cases, with empty filters", async () => {
    const page = "from=0&limit=100&guests=true&deactivated=true";
    for (const name of ["ali", "Ali"]) {
      const path = `${ADMIN}/v2/users?${page}&name=${name}`;
      const { users, total } = await asked("GET", path);
      expect(one(users)["name"]).to.equal("@alice:test");
      expect(total).to.equal(1);
    }
    const all = `${ADMIN}/v2/users?from=0&limit=2&guests=true&name=&user_id=`;
    const first = await asked("GET", all);
    expect(first["next_token"]).to.equal("2");
    const next = `${ADMIN}/v2/users?from=2&limit=100&guests=true&name=&user_id=`;
    expect(await asked("GET", next)).to.not.have.property("next_token");
    const byId = `${ADMIN}/v2/users?from=0&limit=100&guests=false&user_id=@alice:test`;
    expect((await asked("GET", byId))["total"]).to.equal(1);
  });

  it("user details, whois, media and membership, of whoever's rooms", async () => {
    const roomId = await room("membership");
    const user = "@alice:test";
    const details = await asked("GET", `${ADMIN}/v2/users/${user}`);
    expect(details).to.include({ name: user, deactivated: false });
    const { devices } = await asked("GET", `${ADMIN}/v1/whois/${user}`);
    expect(devices).to.have.property(alice.deviceId);
    const media = `${ADMIN}/v1/users/${user}/media?from=0&limit=100&order_by=created_ts&dir=b`;
    expect(await asked("GET", media)).to.deep.equal({ media: [], total: 0 });
    const rooms = await asked("GET", `${ADMIN}/v1/users/${user}/joined_rooms`);
    expect(rooms).to.deep.equal({ joined_rooms: [roomId], total: 1 });
    const aliases = `${CLIENT}/r0/rooms/${encodeURIComponent(roomId)}/aliases`;
    expect(await asked("GET", aliases)).to.deep.equal({
      aliases: ["#membership:test"],
    });
    expect((await bob.get(aliases)).status).to.equal(403);
    const [record] = await server.database.sql<{ action: string }[]>`
      select (facts).action, ((facts).resource).id as resource_id from audit_log
      where ((facts).resource).id = ${roomId} and (facts).action = 'rooms.read'`;
    expect(record).to.deep.equal({ action: "rooms.read", resourceId: roomId });
  });

  it("user prune-devices", async () => {
    const user = await server.user("pruned");
    const base = `${ADMIN}/v2/users/${user.userId}`;
    const { devices, total } = await asked("GET", `${base}/devices`);
    expect(total).to.equal(1);
    const { device_id } = one(devices);
    const body = { devices: [device_id] };
    await asked("POST", `${base}/delete_devices`, body);
    expect((await user.get("/account/whoami")).status).to.equal(401);
  });

  it("user password", async () => {
    const user = await server.user("forgetful");
    const path = `${ADMIN}/v1/reset_password/${user.userId}`;
    const body = { new_password: "another password", logout_devices: false };
    expect(await asked("POST", path, body)).to.deep.equal({});
    must(await user.get("/account/whoami"));
    await asked("POST", path, { new_password: "a third password" });
    expect((await user.get("/account/whoami")).status).to.equal(401);
  });

  it("user modify: of a new account, of one that is there, and of roles", async () => {
    const path = `${ADMIN}/v2/users/@made:test`;
    expect((await wire("GET", path)).status).to.equal(404);
    const made = await wire("PUT", path, { password: "made by synadm" });
    expect(made.status, made.text).to.equal(201);
    const threepids = [{ medium: "email", address: "made@example.org" }];
    const changed = await asked("PUT", path, { displayname: "M", threepids });
    expect(changed["displayname"]).to.equal("M");
    const found = `${ADMIN}/v1/threepid/email/users/made@example.org`;
    expect(await asked("GET", found)).to.deep.equal({ user_id: "@made:test" });
    const refused = await wire("PUT", path, { admin: true });
    expect(refused.status).to.equal(403);
    expect(refused.body["org.myelin.permission"]).to.equal("roles.grant");
    await asked("PUT", path, { deactivated: true });
    const back = { password: "made by synadm", deactivated: false };
    expect((await asked("PUT", path, back))["deactivated"]).to.equal(false);
  });

  it("user auth-provider", async () => {
    const path = `${ADMIN}/v1/auth_providers/oidc/users/nobody@idp`;
    expect((await wire("GET", path)).body["errcode"]).to.equal("M_NOT_FOUND");
  });

  it("user login", async () => {
    const path = `${ADMIN}/v1/users/@alice:test/login`;
    const ahead = Date.now() + 24 * 60 * 60 * 1000;
    const given = await asked("POST", path, { valid_until_ms: ahead });
    expect(given).to.have.property("access_token").that.is.a("string");
    expect(await asked("POST", path, {})).to.have.property("access_token");
  });

  it("user shadow-ban: without a body", async () => {
    const path = `${ADMIN}/v1/users/@bob:test/shadow_ban`;
    for (const [method, isBanned] of [
      ["POST", true],
      ["DELETE", false],
    ] as const) {
      expect(await asked(method, path)).to.deep.equal({});
      const account = await asked("GET", `${ADMIN}/v2/users/@bob:test`);
      expect(account["shadow_banned"]).to.equal(isBanned);
    }
  });

  it("user deactivate: looks at the account and its rooms before", async () => {
    const { userId } = await server.user("leaver");
    await asked("GET", `${ADMIN}/v2/users/${userId}`);
    await asked("GET", `${ADMIN}/v1/users/${userId}/joined_rooms`);
    const path = `${ADMIN}/v1/deactivate/${userId}`;
    expect(await asked("POST", path, { erase: false })).to.deep.equal({
      id_server_unbind_result: "success",
    });
    const eraser = await server.user("eraser");
    const other = `${ADMIN}/v1/deactivate/${eraser.userId}`;
    expect(await asked("POST", other, { erase: true })).to.have.property(
      "id_server_unbind_result",
    );
  });

  it("room list, search, details, members, state, power-levels", async () => {
    const roomId = await room("listed");
    const list = `${ADMIN}/v1/rooms?from=0&limit=100&search_term=listed&order_by=joined_members&dir=b`;
    const { rooms, total_rooms } = await asked("GET", list);
    expect(one(rooms)["room_id"]).to.equal(roomId);
    expect(total_rooms).to.equal(1);
    const byId = `${ADMIN}/v1/rooms?from=0&limit=10&search_term=${roomId}`;
    const found = one((await asked("GET", byId))["rooms"]);
    // It deletes these of each room, and fails where one is missing.
    expect(found).to.include.keys(
      ...["creator", "encryption", "federatable", "guest_access"],
      ...["history_visibility", "join_rules", "joined_local_members"],
      ...["joined_members", "public", "state_events", "version"],
    );
    const base = `${ADMIN}/v1/rooms/${roomId}`;
    expect((await asked("GET", base))["name"]).to.equal("Room listed");
    expect(await asked("GET", `${base}/members`)).to.deep.equal({
      ...{ members: [alice.userId], total: 1 },
    });
    const { state } = await asked("GET", `${base}/state`);
    const levels = (state as Json[]).find(
      ({ type }) => type === "m.room.power_levels",
    );
    expect(levels?.["content"]).to.have.property("users");
  });

  it("room resolve: both ways", async () => {
    const roomId = await room("resolved");
    const alias = `${CLIENT}/r0/directory/room/${encodeURIComponent("#resolved:test")}`;
    expect((await asked("GET", alias))["room_id"]).to.equal(roomId);
    const back = `${CLIENT}/r0/rooms/${encodeURIComponent(roomId)}/aliases`;
    expect((await asked("GET", back))["aliases"]).to.deep.equal([
      "#resolved:test",
    ]);
  });

  it("room join, make-admin", async () => {
    const roomId = await room("joined");
    const { userId } = bob;
    const join = await asked("POST", `${ADMIN}/v1/join/${roomId}`, {
      user_id: userId,
    });
    expect(join).to.deep.equal({ room_id: roomId });
    const path = `${ADMIN}/v1/rooms/${roomId}/make_room_admin`;
    expect(await asked("POST", path, { user_id: userId })).to.deep.equal({});
    expect(await asked("POST", path, {})).to.deep.equal({});
  });

  it("trap 2: an alias that was lost on the way is no path, and never all rooms", async () => {
    const rooms = await asked("GET", `${ADMIN}/v1/rooms`);
    for (const [method, path, body] of [
      ["GET", `${ADMIN}/v1/rooms/`, undefined],
      ["GET", `${ADMIN}/v1/rooms/members`, undefined],
      ["POST", `${ADMIN}/v1/join/`, { user_id: bob.userId }],
      ["POST", `${ADMIN}/v1/rooms/`, {}],
      ["DELETE", `${ADMIN}/v1/rooms/`, { block: false, purge: true }],
    ] as const) {
      const answer = await wire(method, path, body);
      expect(answer.status, `${method} ${path}`).to.be.oneOf([400, 404]);
    }
    const after = await asked("GET", `${ADMIN}/v1/rooms`);
    expect(after["total_rooms"]).to.equal(rooms["total_rooms"]);
  });

  it("room delete: looks at the room and its members before", async () => {
    const roomId = await room("deleted");
    const path = `${ADMIN}/v1/rooms/${roomId}`;
    await asked("GET", path);
    await asked("GET", `${path}/members`);
    const body = {
      ...{ block: false, purge: true, room_name: "Closed", message: "gone" },
      new_room_user_id: root.userId,
    };
    const done = await asked("DELETE", path, body);
    expect(done["kicked_users"]).to.deep.equal([alice.userId]);
    expect(done["new_room_id"]).to.be.a("string");
  });

  it("media list, quarantine, protect, delete, purge", async () => {
    const roomId = await room("media");
    const image = await imageOf(2, 2);
    const mediaId = await upload(alice, image, "image/png");
    const url = `mxc://test/${mediaId}`;
    const content = { msgtype: "m.image", body: "i", url };
    await send(alice, roomId, "m.room.message", content);
    const listed = await asked("GET", `${ADMIN}/v1/room/${roomId}/media`);
    expect(listed).to.deep.equal({ local: [url], remote: [] });
    const post = (path: string) => asked("POST", `${ADMIN}/v1/${path}`, {});
    await post(`media/quarantine/test/${mediaId}`);
    expect(await post(`user/${alice.userId}/media/quarantine`)).to.have.keys(
      "num_quarantined",
    );
    expect(await post(`room/${roomId}/media/quarantine`)).to.have.keys(
      "num_quarantined",
    );
    await post(`media/protect/${mediaId}`);
    const old = "before_ts=1577836800000&size_gt=1024&keep_profiles=false";
    expect(
      await post(`media/test/delete?server_name=test&${old}`),
    ).to.deep.equal({ deleted_media: [], total: 0 });
    expect(
      await post("purge_media_cache?before_ts=1577836800000"),
    ).to.deep.equal({
      deleted: 0,
    });
    const path = `${ADMIN}/v1/media/test/${mediaId}`;
    expect(await asked("DELETE", path, {})).to.deep.equal({
      ...{ deleted_media: [mediaId], total: 1 },
    });
  });

  it("history purge, purge-status", async () => {
    const roomId = await room("history");
    const eventId = await say(alice, roomId, "old");
    await say(alice, roomId, "new");
    const path = `${ADMIN}/v1/purge_history/${roomId}`;
    const body = { purge_up_to_event_id: eventId, delete_local_events: true };
    const { purge_id } = await asked("POST", path, body);
    const status = `${ADMIN}/v1/purge_history_status/${String(purge_id)}`;
    expect((await asked("GET", status))["status"]).to.be.oneOf([
      ...["active", "complete"],
    ]);
    const other = await room("history-by-time");
    await say(alice, other, "old");
    const ts = { purge_up_to_ts: Date.now() };
    const byTime = `${ADMIN}/v1/purge_history/${other}`;
    expect(await asked("POST", byTime, ts)).to.have.keys("purge_id");
  });

  it("regtok new, list, details, update, delete", async () => {
    const tokens = `${ADMIN}/v1/registration_tokens`;
    const empty = { length: 16, uses_allowed: null, expiry_time: null };
    const made = await asked("POST", `${tokens}/new`, empty);
    const named = { ...empty, length: 16, uses_allowed: 3, token: "named" };
    await asked("POST", `${tokens}/new`, named);
    for (const query of ["", "?valid=true", "?valid=false"])
      expect(await asked("GET", `${tokens}${query}`)).to.have.property(
        "registration_tokens",
      );
    const path = `${tokens}/${String(made["token"])}`;
    expect(await asked("GET", path)).to.include({ uses_allowed: null });
    const change = { uses_allowed: 5, expiry_time: 4_102_444_800_000 };
    expect(await asked("PUT", path, change)).to.include(change);
    const open = { uses_allowed: null, expiry_time: null };
    expect(await asked("PUT", path, open)).to.include(open);
    expect(await asked("PUT", path, {})).to.include(open);
    expect(await asked("DELETE", path)).to.deep.equal({});
  });

  it("notice send", async () => {
    const content = {
      ...{ msgtype: "m.text", body: "hello" },
      ...{ format: "org.matrix.custom.html", formatted_body: "<b>hello</b>" },
    };
    const body = { user_id: alice.userId, content };
    const path = `${ADMIN}/v1/send_server_notice`;
    expect(await asked("POST", path, body)).to.have.keys("event_id");
  });

  it("matrix login: in the old form", async () => {
    const { password, userId } = await server.user("old-form");
    const given = await asked("POST", `${CLIENT}/r0/login`, {
      ...{ password, type: "m.login.password", user: userId },
      initial_device_display_name: "synadm matrix login command",
    });
    expect(given["user_id"]).to.equal(userId);
  });

  it("matrix raw: a GET with a body", async () => {
    expect(await asked("GET", `${CLIENT}/versions`, {})).to.have.property(
      "versions",
    );
    const name = `${CLIENT}/v3/profile/${root.userId}/displayname`;
    await asked("PUT", name, { displayname: "Root" });
    expect(await asked("GET", name, {})).to.deep.equal({ displayname: "Root" });
  });

  it("group delete: there are none", async () => {
    const answer = await wire("POST", `${ADMIN}/v1/delete_group/+g:test`);
    expect(answer.status).to.equal(404);
  });

  it("learns the server's name, which it completes ids by", async () => {
    const keys = await asked("GET", "/_matrix/key/v2/server");
    expect(keys["server_name"]).to.equal("test");
    expect(keys).to.have.nested.property("signatures.test");
  });
});
