import { expect } from "chai";
import { administrator } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { newDevice } from "../../support/device-identity.ts";
import { must } from "../../support/rooms.ts";
import { until } from "../../support/until.ts";
import {
  useServer,
  type Json,
  type TestClient,
  type TestUser,
} from "../../support/server.ts";

const N = "/_myelin/admin/v1";

describe("a device that is wiped", () => {
  const server = useServer();
  let admin: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
  });

  const wipe = (user: TestUser, deviceId = user.deviceId) =>
    admin.post(`${N}/users/${user.userId}/devices/${deviceId}/wipe`);
  const wipesOf = async (user: TestUser) =>
    must<{ wipes: Json[] }>(await admin.get(`${N}/users/${user.userId}/wipes`))
      .wipes;
  const logIn = async (user: TestUser, refresh = false) =>
    must<{ access_token: string; refresh_token: string; device_id: string }>(
      await server.post("/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: user.userId },
        password: user.password,
        refresh_token: refresh,
      }),
    );
  const clientOf = (accessToken: string): TestClient =>
    server.as({ accessToken });

  it("is refused for good from then on, its keys are gone, and the first refusal is noted once", async () => {
    const ann = await server.user("ann");
    const { deviceKeys } = newDevice(ann);
    must(await ann.post("/keys/upload", { device_keys: deviceKeys }));
    const answer = must<{ wipes: Json[] }>(await wipe(ann));
    expect(answer.wipes[0]).to.include({ device_id: ann.deviceId });
    expect((await wipesOf(ann))[0]).to.include({
      ...{ device_id: ann.deviceId, state: "pending", told_ts: null },
      ordered_by: admin.userId,
    });
    const head = await auditHead(server);
    const refusals = await Promise.all(
      Array.from({ length: 5 }, () => ann.get("/sync")),
    );
    for (const refused of [...refusals, await ann.get("/account/whoami")]) {
      expect(refused.status).to.equal(401);
      expect(refused.body).to.include({
        ...{ errcode: "M_UNKNOWN_TOKEN", soft_logout: false },
        "org.myelin.wipe": true,
      });
    }
    const [told] = await wipesOf(ann);
    expect(told).to.include({ state: "told" });
    expect(told!["told_ts"]).to.be.a("number");
    const records = (await readAudit(server, head)).filter(
      ({ action }) => action === "auth.wiped",
    );
    expect(records).to.have.length(1);
    expect(records[0]!.resource).to.include({ id: ann.userId });
    const keys = must<{ device_keys: Json }>(
      await admin.post("/keys/query", { device_keys: { [ann.userId]: [] } }),
    );
    expect(keys.device_keys[ann.userId] ?? {}).to.deep.equal({});
  });

  it("is told at once where it waits for news", async () => {
    const ben = await server.user("ben");
    const { next_batch: since } = must(await ben.get("/sync"));
    const began = performance.now();
    const waiting = ben.get(`/sync?timeout=15000&since=${String(since)}`);
    must(await wipe(ben));
    await waiting;
    expect(performance.now() - began).to.be.below(10_000);
    const refused = await ben.get("/sync");
    expect(refused.body).to.include({
      ...{ soft_logout: false, "org.myelin.wipe": true },
    });
  });

  it("may be all devices of a user, and is then also one that was opened meanwhile", async () => {
    const gus = await server.user("gus");
    const { sql } = server.database;
    const ended = await sql.begin(async (login) => {
      // As a login does that has not committed yet.
      await login`select from users where user_id = ${gus.userId} for no key update`;
      const wiping = admin.post(`${N}/users/${gus.userId}/wipe`);
      await until(async () => {
        const [waiting] = await sql<{ count: number }[]>`
          select count(*) as count from pg_stat_activity
          where wait_event_type = 'Lock' and datname = current_database()`;
        return waiting!.count > 0;
      });
      await login`
        insert into devices (user_id, device_id, key_id, sealed, created_ts)
        select user_id, 'LATE', key_id, sealed, created_ts from devices where user_id = ${gus.userId}`;
      return { wiping };
    });
    const { wipes } = must<{ wipes: Json[] }>(await ended.wiping);
    expect(wipes.map(({ device_id }) => device_id)).to.have.members([
      gus.deviceId,
      "LATE",
    ]);
    const [left] = await sql<{ count: number }[]>`
      select count(*) as count from devices where user_id = ${gus.userId}`;
    expect(left!.count).to.equal(0);
  });

  it("is told by its refresh token as well", async () => {
    const cy = await server.user("cy");
    const session = await logIn(cy, true);
    must(await wipe(cy, session.device_id));
    const { refresh_token } = session;
    const refused = await server.post("/refresh", { refresh_token });
    expect(refused.status).to.equal(401);
    expect(refused.body).to.include({
      ...{ soft_logout: false, "org.myelin.wipe": true },
    });
    expect((await wipesOf(cy))[0]).to.include({ state: "told" });
    must(await cy.get("/account/whoami"));
  });

  it("may be all devices of a user, who logs in anew to another one", async () => {
    const dora = await server.user("dora");
    const second = await logIn(dora);
    const answer = must<{ wipes: Json[] }>(
      await admin.post(`${N}/users/${dora.userId}/wipe`),
    );
    expect(answer.wipes).to.have.length(2);
    for (const token of [dora.accessToken, second.access_token]) {
      const refused = await clientOf(token).get("/account/whoami");
      expect(refused.body).to.include({ "org.myelin.wipe": true });
    }
    const states = (await wipesOf(dora)).map(({ state }) => state);
    expect(states).to.deep.equal(["told", "told"]);
    const fresh = await logIn(dora);
    must(await clientOf(fresh.access_token).get("/account/whoami"));
  });

  it("leaves no word to any other token that nobody knows, and is there to be wiped", async () => {
    const emil = await server.user("emil");
    const unknown = await clientOf("myl_nobody").get("/account/whoami");
    expect(unknown.body).to.not.have.property("org.myelin.wipe");
    must(await emil.post("/logout"));
    const ended = await emil.get("/account/whoami");
    expect(ended.body).to.not.have.property("org.myelin.wipe");
    expect((await wipe(emil)).status).to.equal(404);
    const helper = await administrator(server, "auditor", "auditor");
    const refused = await helper.post(`${N}/users/${emil.userId}/wipe`);
    expect(refused.body["org.myelin.permission"]).to.equal(
      "users.sessions.write",
    );
  });

  it("is recorded with its devices in the commit that ends them", async () => {
    const fay = await server.user("fay");
    const head = await auditHead(server);
    must(await wipe(fay));
    const [record, ...others] = await readAudit(server, head);
    expect(others).to.deep.equal([]);
    expect(record).to.deep.include({
      ...{ action: "users.sessions.write", result: "allowed" },
      after: { wiped_devices: [fay.deviceId] },
    });
    const [same] = await server.database.sql<{ same: boolean }[]>`
      select (select xmin::text from audit_log where seq = ${record!.seq})
        = (select xmin::text from device_wipes where user_id = ${fay.userId}) as same`;
    expect(same!.same).to.equal(true);
  });
});
