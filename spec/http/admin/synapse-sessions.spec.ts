import { expect } from "chai";
import { eraseAccounts } from "../../../src/domain/jobs/erase-accounts.ts";
import { endActing } from "../../../src/domain/jobs/end-acting.ts";
import { finishDeactivations } from "../../../src/domain/jobs/finish-deactivations.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { administrator } from "../../support/administrators.ts";
import { act, makeRoom, must, path } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type {
  Answer,
  Json,
  TestProcess,
  TestUser,
} from "../../support/server.ts";

const V1 = "/_synapse/admin/v1";
const V2 = "/_synapse/admin/v2";

const refused = (answer: Answer, permission: string) => {
  expect(answer.status, answer.text).to.equal(403);
  expect(answer.body["org.myelin.permission"]).to.equal(permission);
};

describe("Synapse's devices", () => {
  const server = useServer();
  let admin: TestUser;
  let ann: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    ann = await server.user("ann");
  });

  const devices = (rest = "") => `${V2}/users/${ann.userId}/devices${rest}`;

  it("are listed, shown, renamed and made", async () => {
    must(await ann.get("/account/whoami"));
    const list = must<{ devices: Json[]; total: number }>(
      await admin.get(devices()),
    );
    expect(list.total).to.equal(1);
    expect(list.devices[0]).to.include({
      ...{ device_id: ann.deviceId, user_id: ann.userId, dehydrated: false },
    });
    must(await admin.put(devices(`/${ann.deviceId}`), { display_name: "New" }));
    const one = must(await admin.get(devices(`/${ann.deviceId}`)));
    expect(one["display_name"]).to.equal("New");
    must(await admin.put(devices(`/${ann.deviceId}`), {}));
    for (let i = 0; i < 2; i += 1) {
      const made = await admin.post(devices(), { device_id: "MADE" });
      expect(made.status).to.equal(201);
    }
    must(await admin.get(devices("/MADE")));
    expect((await admin.get(devices("/ABSENT"))).status).to.equal(404);
    const odd = await admin.post(devices(), { device_id: "" });
    expect(odd.body["errcode"]).to.equal("M_INVALID_PARAM");
    const absent = `${V2}/users/@absent:test/devices`;
    expect((await admin.get(absent)).status).to.equal(404);
  });

  it("are logged out, one and many, with a body or without", async () => {
    const log = async () => {
      const answer = must<{ access_token: string; device_id: string }>(
        await server.post("/login", {
          type: "m.login.password",
          user: "ann",
          password: ann.password,
        }),
      );
      return {
        ...answer,
        client: server.as({ accessToken: answer.access_token }),
      };
    };
    const [one, two, three] = [await log(), await log(), await log()];
    must(await admin.ask("DELETE", devices(`/${one.device_id}`)));
    expect((await one.client.get("/account/whoami")).status).to.equal(401);
    const many = { devices: [two.device_id, three.device_id, "ABSENT"] };
    must(await admin.post(`${V2}/users/${ann.userId}/delete_devices`, many));
    expect((await two.client.get("/account/whoami")).status).to.equal(401);
    expect((await three.client.get("/account/whoami")).status).to.equal(401);
    must(await ann.get("/account/whoami"));
    must(await admin.ask("DELETE", devices("/ABSENT"), { a: 1 }));
    refused(await ann.get(devices()), "users.sessions.read");
    refused(await ann.ask("DELETE", devices("/x")), "users.sessions.write");
  });

  it("tell who is who: administrators, and everybody of themselves", async () => {
    for (const target of [
      `/_matrix/client/v3/admin/whois/${ann.userId}`,
      `/_matrix/client/r0/admin/whois/${ann.userId}`,
      `${V1}/whois/${ann.userId}`,
    ]) {
      for (const client of [admin, ann]) {
        const answer = must<{ user_id: string; devices: Json }>(
          await client.get(target),
        );
        expect(answer.user_id).to.equal(ann.userId);
        expect(answer.devices).to.have.property(ann.deviceId);
      }
    }
    refused(
      await ann.get(`${V1}/whois/${admin.userId}`),
      "users.sessions.read",
    );
  });

  it("go with what a user has: rooms, memberships, counts, account data, pushers", async () => {
    const bob = await server.user("bob");
    const roomId = await makeRoom(ann, { invite: [bob.userId] });
    const left = await makeRoom(ann);
    await act(ann, left, "leave");
    const data = path`/user/${ann.userId}/account_data/m.x`;
    must(await ann.put(data, { a: 1 }));
    const ofRoom = path`/user/${ann.userId}/rooms/${roomId}/account_data/m.y`;
    must(await ann.put(ofRoom, { b: 2 }));
    const of = (what: string) => `${V1}/users/${ann.userId}/${what}`;
    expect(must(await admin.get(of("joined_rooms")))).to.deep.equal({
      joined_rooms: [roomId],
      total: 1,
    });
    expect(must(await admin.get(of("memberships")))).to.deep.equal({
      memberships: { [roomId]: "join", [left]: "leave" },
    });
    const invites = async (query: string) =>
      must(await admin.get(of(`sent_invite_count${query}`)))["invite_count"];
    expect(await invites("")).to.equal(1);
    expect(await invites("?from_ts=1")).to.equal(1);
    expect(await invites(`?from_ts=${Date.now() + 60_000}`)).to.equal(0);
    const entered = async (query: string) =>
      must(await admin.get(of(`cumulative_joined_room_count${query}`)))[
        "cumulative_joined_room_count"
      ];
    expect(await entered("?from_ts=1")).to.equal(2);
    expect(await entered(`?from_ts=${Date.now() + 60_000}`)).to.equal(0);
    const { account_data } = must<{
      account_data: { global: Json; rooms: Record<string, Json> };
    }>(await admin.get(of("accountdata")));
    expect(account_data.global["m.x"]).to.deep.equal({ a: 1 });
    expect(account_data.rooms[roomId]!["m.y"]).to.deep.equal({ b: 2 });
    must(
      await ann.post("/pushers/set", {
        ...{ kind: "http", app_id: "app", pushkey: "key", lang: "en" },
        ...{ app_display_name: "n", device_display_name: "d" },
        data: { url: "https://push.example.org/_matrix/push/v1/notify" },
      }),
    );
    const pushers = must<{ pushers: Json[]; total: number }>(
      await admin.get(of("pushers")),
    );
    expect(pushers.total).to.equal(1);
    expect(pushers.pushers[0]).to.include({ app_id: "app", pushkey: "key" });
    refused(await bob.get(of("accountdata")), "users.content.read");
    refused(await bob.get(of("joined_rooms")), "users.read");
    const helpdesk = await administrator(server, "help", "helpdesk");
    refused(await helpdesk.get(of("accountdata")), "users.content.read");
  });

  it("have switches that are on for everybody", async () => {
    const target = `${V1}/experimental_features/${ann.userId}`;
    const { features } = must<{ features: Json }>(await admin.get(target));
    expect(features).to.include({ msc3575: true, msc4222: true });
    must(await admin.put(target, { features: { msc3575: true } }));
    for (const odd of [{ msc3575: false }, { msc1: true }]) {
      const answer = await admin.put(target, { features: odd });
      expect(answer.body["errcode"]).to.equal("M_UNKNOWN");
    }
  });
});

describe("limits of messages", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.message.burst": 2,
    "rate_limits.message.per_second": 0.001,
  });
  let admin: TestUser;
  let ann: TestUser;
  let second: TestProcess;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    ann = await server.user("ann");
    second = await server.startProcess();
  });

  it("are overridden for a user, in every process", async () => {
    const roomId = await makeRoom(ann);
    let txn = 0;
    const say = async (client: Pick<TestUser, "put"> = ann) => {
      const target = path`/rooms/${roomId}/send/m.x/${String((txn += 1))}`;
      return (await client.put(target, {})).status;
    };
    expect([await say(), await say(), await say()]).to.deep.equal([
      200, 200, 429,
    ]);
    const target = `${V1}/users/${ann.userId}/override_ratelimit`;
    expect(must(await admin.get(target))).to.deep.equal({});
    must(await admin.post(target, {}));
    const none = { messages_per_second: 0, burst_count: 0 };
    expect(must(await admin.get(target))).to.deep.equal(none);
    const there = second.as(ann);
    for (let i = 0; i < 5; i += 1) {
      expect(await say()).to.equal(200);
      expect(await say(there)).to.equal(200);
    }
    const tight = { messages_per_second: 1_000_000, burst_count: 1_000_000 };
    expect(must(await admin.post(target, tight))).to.deep.equal(tight);
    expect(await say(there)).to.equal(200);
    must(await admin.ask("DELETE", target));
    expect(must(await admin.get(target))).to.deep.equal({});
    expect([
      await say(there),
      await say(),
      await say(),
      await say(),
    ]).to.include(429);
    refused(await ann.post(target, {}), "users.limits");
  });
});

describe("what waits for its time", () => {
  const server = useServer({ "admin.undo_window_hours": 0 });
  let admin: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
  });

  const run = async (
    job: Parameters<typeof runJob<typeof server.edges>>[1],
  ) => {
    await server.database.sql`delete from leases`;
    await runJob(server.edges, job);
  };

  it("is erased by a job, and then for good", async () => {
    const ann = await server.user("ann");
    must(await admin.post(`${V1}/deactivate/${ann.userId}`, { erase: true }));
    await run(eraseAccounts);
    const { sql } = server.database;
    const rows = await sql<{ erasedPosition: number | null }[]>`
      select erased_position from users where user_id = ${ann.userId}`;
    expect(rows[0]!.erasedPosition).to.be.above(0);
    const back = await admin.put(`${V2}/users/${ann.userId}`, {
      ...{ deactivated: false, password: "a long password" },
    });
    expect(back.status).to.equal(403);
    const again = `${V1}/deactivate/${ann.userId}`;
    must(await admin.post(again, { erase: true }));
    expect(await sql`select from pending_erasures`).to.have.length(0);
  });

  it("is erased or taken back, and never both", async () => {
    for (let i = 0; i < 10; i += 1) {
      const ann = await server.user(`race${i}`);
      const target = `${V2}/users/${ann.userId}`;
      must(await admin.post(`${V1}/deactivate/${ann.userId}`, { erase: true }));
      const [back] = await Promise.all([
        admin.put(target, { deactivated: false, password: "a long password" }),
        run(eraseAccounts),
      ]);
      const [row] = await server.database.sql<
        { isErased: boolean; isDeactivated: boolean }[]
      >`
        select erased_position is not null as is_erased, is_deactivated from users
        where user_id = ${ann.userId}`;
      expect(row!.isDeactivated).to.equal(back.status !== 200);
      if (back.status === 200) expect(row!.isErased).to.equal(false);
    }
  });

  it("G8: takes the devices away by which administrators acted", async () => {
    const ann = await server.user("acted");
    must(await admin.post(`${V1}/users/${ann.userId}/login`, {}));
    const count = async () =>
      must<{ devices: Json[] }>(await ann.get("/devices")).devices.length;
    await run(endActing);
    expect(await count()).to.equal(2);
    await server.database
      .sql`update access_tokens set expires_ts = 1 where acted_by is not null`;
    await run(endActing);
    expect(await count()).to.equal(1);
  });

  it("is not begun while jobs are paused, and begins when it is told to", async () => {
    const target = `${V1}/background_updates`;
    expect(must(await admin.get(`${target}/status`))).to.deep.include({
      enabled: true,
    });
    must(await admin.post(`${target}/enabled`, { enabled: false }));
    expect(must(await admin.get(`${target}/enabled`))).to.deep.equal({
      enabled: false,
    });
    const { sql } = server.database;
    await run(finishDeactivations);
    expect(await sql`select from leases`).to.have.length(0);
    must(await admin.post(`${target}/enabled`, { enabled: true }));
    await run(finishDeactivations);
    const rests = async () => {
      const [row] = await sql<{ rests: boolean }[]>`
        select expires_ts > clock_timestamp() as rests from leases`;
      return row!.rests;
    };
    expect(await rests()).to.equal(true);
    const start = (job_name: string) =>
      admin.post(`${target}/start_job`, { job_name });
    must(await start(finishDeactivations.name));
    expect(await rests()).to.equal(false);
    // What is done and its record are one commit.
    const [written] = await sql<{ isOne: boolean }[]>`
      select l.xmin::text = a.xmin::text as is_one from leases l, audit_log a
      order by a.seq desc limit 1`;
    expect(written!.isOne).to.equal(true);
    must(await start("regenerate_directory"));
    expect((await start("nothing")).body["errcode"]).to.equal("M_UNKNOWN");
    const auditor = await administrator(server, "auditor", "auditor");
    must(await auditor.get(`${target}/status`));
    refused(
      await auditor.post(`${target}/enabled`, { enabled: false }),
      "jobs.write",
    );
  });
});
