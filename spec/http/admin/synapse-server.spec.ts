import { expect } from "chai";
import { administrator } from "../../support/administrators.ts";
import { uploadImage } from "../../support/media.ts";
import { act, makeRoom, must, path, say } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Answer, Json, TestUser } from "../../support/server.ts";

const V1 = "/_synapse/admin/v1";

const refused = (answer: Answer, permission: string) => {
  expect(answer.status, answer.text).to.equal(403);
  expect(answer.body["org.myelin.permission"]).to.equal(permission);
};

describe("Synapse's registration tokens", () => {
  const server = useServer({ "registration.mode": "token" });
  let admin: TestUser;
  let nobody: TestUser;
  const TOKENS = `${V1}/registration_tokens`;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    nobody = await server.user("nobody");
  });

  const make = (body: Json = {}) => admin.post(`${TOKENS}/new`, body);
  const register = async (username: string, token: string) => {
    const form = { username, password: "a long password" };
    const { session } = (await server.post("/register", form)).body;
    const auth = { type: "m.login.registration_token", token, session };
    return server.post("/register", { ...form, auth });
  };

  it("are made as synadm asks for them, read, changed and taken away", async () => {
    const made = must(await make({ uses_allowed: null, expiry_time: null }));
    expect(made).to.include({
      ...{ uses_allowed: null, expiry_time: null, pending: 0, completed: 0 },
    });
    expect(made["token"]).to.match(/^[\w-]{16}$/);
    const one = `${TOKENS}/${String(made["token"])}`;
    expect(must(await admin.get(one))).to.deep.equal(made);
    const expiry_time = Date.now() + 60_000;
    const changed = must(
      await admin.put(one, { uses_allowed: 3, expiry_time }),
    );
    expect(changed).to.include({ uses_allowed: 3, expiry_time });
    expect(must(await admin.put(one, { uses_allowed: null }))).to.include({
      ...{ uses_allowed: null, expiry_time },
    });
    expect(must(await admin.ask("DELETE", one))).to.deep.equal({});
    expect((await admin.get(one)).status).to.equal(404);
    expect((await admin.ask("DELETE", one)).status).to.equal(404);
    expect((await admin.put(one, {})).status).to.equal(404);
    const long = must(await make({ length: 64 }));
    expect(long["token"]).to.have.length(64);
    const rows = await server.database.sql<{ record: string }[]>`
      select record from audit_log`;
    const log = rows.map(({ record }) => record).join();
    expect(log).to.include("tokens.write").and.not.include(long["token"]);
  });

  it("refuse what is no token", async () => {
    must(await make({ token: "taken" }));
    for (const odd of [
      { token: "taken" },
      { token: "" },
      { token: "a b" },
      { expiry_time: 1 },
    ]) {
      const answer = await make(odd);
      expect(answer.body["errcode"], JSON.stringify(odd)).to.equal(
        "M_INVALID_PARAM",
      );
    }
    for (const odd of [{ length: 65 }, { length: 0 }, { uses_allowed: -1 }])
      expect((await make(odd)).status).to.equal(400);
    refused(await nobody.get(TOKENS), "tokens.read");
    refused(await nobody.post(`${TOKENS}/new`, {}), "tokens.write");
  });

  it("are counted by the database, however many register at once", async () => {
    must(await make({ token: "thrice", uses_allowed: 3 }));
    const names = Array.from({ length: 8 }, (_, i) => `racer${i}`);
    const answers = await Promise.all(
      names.map((name) => register(name, "thrice")),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).to.have.length(3);
    expect(must(await admin.get(`${TOKENS}/thrice`))["completed"]).to.equal(3);
  });

  it("are listed by whether somebody could register with them", async () => {
    must(await make({ token: "none", uses_allowed: 0 }));
    const list = async (query: string) => {
      const { registration_tokens } = must<{ registration_tokens: Json[] }>(
        await admin.get(`${TOKENS}${query}`),
      );
      return registration_tokens.map(({ token }) => token);
    };
    expect(await list("?valid=true"))
      .to.include("taken")
      .and.not.include("none");
    expect(await list("?valid=false"))
      .to.include("none")
      .and.not.include("taken");
    for (const all of ["", "?valid="])
      expect(await list(all)).to.include.members(["none", "taken"]);
    expect(
      (await admin.get("/_myelin/admin/v1/registration-tokens")).status,
    ).to.equal(200);
  });
});

describe("server notices", () => {
  const server = useServer({ "server_notices.room_name": "Alerts" });
  let admin: TestUser;
  const NOTICE = `${V1}/send_server_notice`;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
  });

  const content = { msgtype: "m.text", body: "Read this." };
  const tell = async (user: TestUser, more: Json = {}) =>
    must<{ event_id: string }>(
      await admin.post(NOTICE, { user_id: user.userId, content, ...more }),
    ).event_id;

  interface Synced {
    rooms?: {
      invite?: Record<string, { invite_state: { events: Json[] } }>;
      join?: Record<
        string,
        { timeline: { events: Json[] }; account_data: { events: Json[] } }
      >;
    };
  }
  const invited = async (user: TestUser) => {
    const { rooms } = must<Synced>(await user.get("/sync"));
    return Object.keys(rooms?.invite ?? {});
  };

  it("invite a user to one room, which is named and tagged, and cannot be declined", async () => {
    const ann = await server.user("ann");
    const eventId = await tell(ann);
    const [roomId, ...others] = await invited(ann);
    expect(others).to.deep.equal([]);
    const declined = await ann.post(path`/rooms/${roomId!}/leave`);
    expect(declined.status).to.equal(403);
    expect(declined.body["errcode"]).to.equal(
      "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
    );
    const state = path`/rooms/${roomId!}/state/m.room.member/${ann.userId}`;
    const byState = await ann.put(state, { membership: "leave" });
    expect(byState.body["errcode"]).to.equal(
      "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
    );
    await act(ann, roomId!, "join");
    const { rooms } = must<Synced>(await ann.get("/sync"));
    const room = rooms!.join![roomId!]!;
    const events = room.timeline.events.map(({ event_id }) => event_id);
    expect(events).to.include(eventId);
    const tags = room.account_data.events.find(({ type }) => type === "m.tag");
    expect(tags).to.deep.include({
      content: { tags: { "m.server_notice": {} } },
    });
    const name = must(
      await ann.get(path`/rooms/${roomId!}/state/m.room.name/`),
    );
    expect(name["name"]).to.equal("Alerts");
    const answer = await ann.put(path`/rooms/${roomId!}/send/m.x/1`, {});
    expect(answer.status).to.equal(403);
    await act(ann, roomId!, "leave");
    await tell(ann);
    expect(await invited(ann)).to.deep.equal([roomId]);
    await tell(ann);
    expect(await invited(ann)).to.deep.equal([roomId]);
  });

  it("make one room for a user, however many are sent at once in all processes", async () => {
    const second = await server.startProcess();
    const ann = await server.user("busy");
    const there = second.as(admin);
    const body = { user_id: ann.userId, content };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? admin : there).post(NOTICE, body),
      ),
    );
    for (const answer of answers) must(answer);
    const [roomId, ...others] = await invited(ann);
    expect(others).to.deep.equal([]);
    await act(ann, roomId!, "join");
    const sent = await server.database.sql`
      select from events e join notice_rooms n using (room_nid)
      where n.user_id = ${ann.userId} and e.type = 'm.room.message'`;
    expect(sent).to.have.length(8);
  });

  it("are sent once for one transaction, and may be of any type, or state", async () => {
    const ann = await server.user("ida");
    const put = () =>
      admin.put(`${NOTICE}/txn1`, { user_id: ann.userId, content });
    const first = must(await put());
    expect(must(await put())).to.deep.equal(first);
    expect(
      must(await admin.put(`${NOTICE}/txn2`, { user_id: ann.userId, content })),
    ).to.not.deep.equal(first);
    const stateId = await tell(ann, {
      ...{ type: "m.room.pinned_events", state_key: "" },
      content: { pinned: [first["event_id"]] },
    });
    expect(stateId).to.match(/^\$/);
  });

  it("are for who may send them, to users who are here", async () => {
    const ann = await server.user("eve");
    refused(
      await ann.post(NOTICE, { user_id: ann.userId, content }),
      "notices.send",
    );
    const absent = await admin.post(NOTICE, {
      user_id: "@absent:test",
      content,
    });
    expect(absent.status).to.equal(404);
    for (const odd of [{ user_id: "@x:elsewhere" }, { user_id: "" }]) {
      const answer = await admin.post(NOTICE, { ...odd, content });
      expect(answer.status).to.equal(400);
    }
    must(await admin.post(`${V1}/deactivate/${ann.userId}`, {}));
    const gone = await admin.post(NOTICE, { user_id: ann.userId, content });
    expect(gone.status).to.equal(404);
  });

  it("are told by an account that nobody has", async () => {
    const body = { username: "notices", password: "a long password" };
    const auth = { type: "m.login.dummy" };
    const taken = await server.post("/register", { ...body, auth });
    expect(taken.body["errcode"]).to.equal("M_USER_IN_USE");
    const login = await server.post("/login", {
      ...{ type: "m.login.password", user: "notices", password: "" },
    });
    expect(login.status).to.equal(403);
  });

  it("do not keep an account from ending", async () => {
    const ann = await server.user("ending");
    await tell(ann);
    must(await admin.post(`${V1}/deactivate/${ann.userId}`, {}));
    const left = await server.database.sql`
      select from memberships where user_id = ${ann.userId} and membership = 'invite'`;
    expect(left).to.have.length(0);
  });
});

describe("Synapse's statistics", () => {
  const server = useServer();
  let admin: TestUser;
  let ann: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    ann = await server.user("ann");
    must(
      await ann.put(path`/profile/${ann.userId}/displayname`, {
        displayname: "Anna",
      }),
    );
    await uploadImage(ann);
    await uploadImage(ann);
    await uploadImage(admin);
  });

  const MEDIA = `${V1}/statistics/users/media`;

  it("tell the server's version", async () => {
    const version = must(await admin.get(`${V1}/server_version`));
    expect(version["server_version"]).to.match(/^Myelin \d+\.\d+\.\d+/);
    refused(await ann.get(`${V1}/server_version`), "server.read");
  });

  it("count media and bytes by user", async () => {
    const list = async (query: string) =>
      must<{ users: Json[]; total: number; next_token?: number }>(
        await admin.get(`${MEDIA}?${query}`),
      );
    const { users, total } = await list("order_by=media_count&dir=b");
    expect(total).to.equal(2);
    expect(users[0]).to.include({
      ...{ user_id: ann.userId, displayname: "Anna", media_count: 2 },
    });
    expect(users[0]!["media_length"]).to.be.above(0);
    const first = await list("limit=1");
    expect(first.next_token).to.equal(1);
    expect((await list("limit=1&from=1")).next_token).to.equal(undefined);
    expect((await list("search_term=ANNA")).total).to.equal(1);
    expect((await list("search_term=nobody")).total).to.equal(0);
    expect((await list(`from_ts=${Date.now() + 60_000}`)).total).to.equal(0);
    for (const order of ["user_id", "displayname", "media_length"])
      expect((await list(`order_by=${order}`)).total).to.equal(2);
    const odd = await admin.get(`${MEDIA}?from_ts=2&until_ts=1`);
    expect(odd.body["errcode"]).to.equal("M_INVALID_PARAM");
    refused(await ann.get(MEDIA), "stats.read");
  });

  it("name the largest rooms, and none where there are none", async () => {
    const target = `${V1}/statistics/database/rooms`;
    expect(must(await admin.get(target))).to.deep.equal({ rooms: [] });
    const large = await makeRoom(ann);
    await makeRoom(ann);
    for (let i = 0; i < 5; i += 1) await say(ann, large, "x".repeat(2000));
    const { rooms } = must<{ rooms: Json[] }>(await admin.get(target));
    expect(rooms).to.have.length(2);
    expect(rooms[0]).to.include({ room_id: large });
    expect(rooms[0]!["estimated_size"]).to.be.above(1000);
  });
});
