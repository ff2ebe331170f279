import { expect } from "chai";
import { openSession } from "../../../src/domain/accounts/open-session.ts";
import { refreshSession } from "../../../src/domain/accounts/refresh.ts";
import type { Edges } from "../../../src/edges.ts";
import { newDevice } from "../../support/device-identity.ts";
import { type Answer, useServer } from "../../support/server.ts";

describe("POST /refresh", () => {
  const server = useServer();

  interface Pair {
    access: string;
    refresh: string;
  }
  const open = async (name: string): Promise<Pair> => {
    const { password } = await server.user(name);
    const { body } = await server.post("/login", {
      type: "m.login.password",
      user: name,
      password,
      refresh_token: true,
    });
    return pairIn(body);
  };
  const pairIn = (body: Record<string, unknown>): Pair => ({
    access: body["access_token"] as string,
    refresh: body["refresh_token"] as string,
  });
  const refresh = (token: string, client = server.post) =>
    client("/refresh", { refresh_token: token });
  const whoami = (pair: Pair) =>
    server.as({ accessToken: pair.access }).get("/account/whoami");
  const expectRefused = (answer: Answer, isSoft: boolean) => {
    expect(answer.status).to.equal(401);
    expect(answer.body).to.include({
      errcode: "M_UNKNOWN_TOKEN",
      soft_logout: isSoft,
    });
  };
  const expectUnknown = async (token: string) =>
    expectRefused(await refresh(token), false);
  /** The device is still there: the client may keep its keys. */
  const expectEnded = async (token: string) =>
    expectRefused(await refresh(token), true);

  it("gives a new pair for the same device", async () => {
    const first = await open("alice");
    const device = (await whoami(first)).body["device_id"];
    const answer = await refresh(first.refresh);
    expect(answer.status, answer.text).to.equal(200);
    expect(answer.body["expires_in_ms"]).to.be.above(0);
    const second = pairIn(answer.body);
    expect(second.access).to.not.equal(first.access);
    expect(second.refresh).to.not.equal(first.refresh);
    expect((await whoami(second)).body["device_id"]).to.equal(device);
  });

  it("ends after ninety days without a refresh, and leaves the device", async () => {
    const first = await open("idle");
    const age = (days: number) => server.database.sql`
      update refresh_tokens set created_ts = created_ts - ${days * 86_400_000}
      where user_id = '@idle:test'`;
    await age(89);
    const second = pairIn((await refresh(first.refresh)).body);
    const device = (await whoami(second)).body["device_id"] as string;
    await age(90);
    const late = await refresh(second.refresh);
    expect(late.status).to.equal(401);
    expect(late.body).to.include({
      errcode: "M_UNKNOWN_TOKEN",
      soft_logout: true,
    });
    const again = await server.post("/login", {
      type: "m.login.password",
      user: "idle",
      password: "secret of idle",
      device_id: device,
    });
    expect(again.status, again.text).to.equal(200);
  });

  it("may be asked again as long as the answer was not used", async () => {
    const first = await open("lost");
    const lost = pairIn((await refresh(first.refresh)).body);
    const second = pairIn((await refresh(first.refresh)).body);
    expect((await whoami(second)).status).to.equal(200);
    expect((await whoami(lost)).status, "the lost one").to.equal(401);
    await expectUnknown(lost.refresh);
  });

  it("row 56: ends the session where an old token is used after the new access token was", async () => {
    const first = await open("thief");
    const second = pairIn((await refresh(first.refresh)).body);
    expect((await whoami(second)).status).to.equal(200);
    await expectEnded(first.refresh);
    expectRefused(await whoami(second), true);
    await expectEnded(second.refresh);
  });

  it("leaves the device of a session that it ended, with its keys, to log in to again", async () => {
    const other = await server.startProcess();
    const first = await open("robbed");
    const second = pairIn((await refresh(first.refresh)).body);
    const there = other.as({ accessToken: second.access });
    const { user_id, device_id } = (await there.get("/account/whoami")).body;
    const owner = { userId: String(user_id), deviceId: String(device_id) };
    const { deviceKeys } = newDevice(owner);
    await there.post("/keys/upload", { device_keys: deviceKeys });
    const since = (await there.get("/sync")).body["next_batch"];
    const poll = there.get(`/sync?timeout=60000&since=${String(since)}`);
    await expectEnded(first.refresh);
    expectRefused(await there.get("/account/whoami"), true);
    await poll;
    const again = await server.post("/login", {
      type: "m.login.password",
      user: "robbed",
      password: "secret of robbed",
      device_id,
    });
    expect(again.body["device_id"]).to.equal(device_id);
    const back = server.as({ accessToken: String(again.body["access_token"]) });
    const { body } = await back.post("/keys/query", {
      device_keys: { [owner.userId]: [] },
    });
    const known = body["device_keys"] as Record<string, object>;
    expect(known[owner.userId]).to.have.all.keys(owner.deviceId);
    await expectUnknown(second.refresh);
  });

  it("ends the session where an old token is used after the new one was", async () => {
    const first = await open("thief2");
    const second = pairIn((await refresh(first.refresh)).body);
    const third = pairIn((await refresh(second.refresh)).body);
    await expectEnded(first.refresh);
    await expectEnded(third.refresh);
    expectRefused(await whoami(third), true);
  });

  const logInAgain = async (name: string, deviceId: unknown) =>
    pairIn(
      (
        await server.post("/login", {
          type: "m.login.password",
          user: name,
          password: `secret of ${name}`,
          device_id: deviceId,
          refresh_token: true,
        })
      ).body,
    );
  const deviceOf = async (pair: Pair) => (await whoami(pair)).body["device_id"];
  /** Edges of somebody who is overtaken when he commits for the first time. */
  const overtakenBy = (other: () => Promise<unknown>): Edges => {
    let isOvertaken = false;
    const { committer } = server.edges;
    return {
      ...server.edges,
      committer: {
        commit: async (write) => {
          if (!isOvertaken) {
            isOvertaken = true;
            await other();
          }
          return committer.commit(write);
        },
      },
    };
  };

  it("knows no token of a session that the device had before it logged in again", async () => {
    const first = await open("returned");
    const device = await deviceOf(first);
    const second = pairIn((await refresh(first.refresh)).body);
    const third = pairIn((await refresh(second.refresh)).body);
    const later = await logInAgain("returned", device);
    for (const old of [first, second, third]) await expectUnknown(old.refresh);
    expect((await whoami(later)).status).to.equal(200);
    expect((await refresh(later.refresh)).status).to.equal(200);
  });

  it("ends the session although its living token is used at the same time", async () => {
    const first = await open("overtaken");
    const second = pairIn((await refresh(first.refresh)).body);
    await whoami(second);
    const edges = overtakenBy(() => expectEnded(first.refresh));
    const outcome = await refreshSession(edges, second.refresh).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.include({ errcode: "M_UNKNOWN_TOKEN" });
    await expectEnded(second.refresh);
    const living = await server.database.sql`
      select from access_tokens where user_id = '@overtaken:test' and expires_ts > 0`;
    expect(living).to.have.length(0);
  });

  it("ends the session although an unused answer is asked for again at the same time", async () => {
    const first = await open("again");
    const second = pairIn((await refresh(first.refresh)).body);
    await whoami(second);
    await refresh(second.refresh);
    const edges = overtakenBy(() => expectEnded(first.refresh));
    const outcome = await refreshSession(edges, second.refresh).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.include({ errcode: "M_UNKNOWN_TOKEN" });
  });

  it("does not end the session of a login that came first", async () => {
    const first = await open("early");
    const device = await deviceOf(first);
    const second = pairIn((await refresh(first.refresh)).body);
    await whoami(second);
    let later: Pair | undefined;
    const edges = overtakenBy(async () => {
      later = await logInAgain("early", device);
    });
    const outcome = await refreshSession(edges, first.refresh).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.include({ errcode: "M_UNKNOWN_TOKEN" });
    expect((await whoami(later!)).status).to.equal(200);
  });

  it("has no token of its own beside a login that came first, nor one beside a login that came after", async () => {
    const first = await open("beside");
    const deviceId = String(await deviceOf(first));
    let later: Pair | undefined;
    const refreshing = overtakenBy(async () => {
      later = await logInAgain("beside", deviceId);
    });
    const outcome = await refreshSession(refreshing, first.refresh).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.include({ errcode: "M_UNKNOWN_TOKEN" });
    let beside: Pair | undefined;
    const loggingIn = overtakenBy(async () => {
      beside = pairIn((await refresh(later!.refresh)).body);
    });
    await openSession(loggingIn, "@beside:test", {
      deviceId,
      canRefresh: true,
    });
    expectRefused(await whoami(beside!), false);
    await expectUnknown(beside!.refresh);
  });

  it("ends older access tokens, and no others", async () => {
    const first = await open("chain");
    const second = pairIn((await refresh(first.refresh)).body);
    expect((await whoami(first)).status, "still in use").to.equal(200);
    const third = pairIn((await refresh(second.refresh)).body);
    expect((await whoami(first)).status).to.equal(401);
    expect((await whoami(third)).status).to.equal(200);
  });

  it("row 56: leaves one living pair where a hundred ask at once", async () => {
    const other = await server.startProcess();
    const first = await open("racer");
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        refresh(first.refresh, i % 2 ? server.post : other.post),
      ),
    );
    const given = answers.filter(({ status }) => status === 200);
    expect(given.length).to.be.above(0);
    const rows = await server.database
      .sql`select from refresh_tokens where user_id = '@racer:test' and next_hash is null`;
    expect(rows).to.have.length(1);
    const tokens = await server.database
      .sql`select from access_tokens where user_id = '@racer:test' and expires_ts is not null`;
    expect(tokens, "the old one and the new one").to.have.length(2);
  }).timeout(60_000);

  it("refuses what is no refresh token, and one of a removed device", async () => {
    const pair = await open("gone");
    await expectUnknown("myr_nonsense");
    await expectUnknown(pair.access);
    await server.as({ accessToken: pair.access }).post("/logout");
    await expectUnknown(pair.refresh);
  });

  it("gives access tokens that expire", async () => {
    const pair = await open("expired");
    await server.database.sql`
      update access_tokens set expires_ts = 1 where user_id = '@expired:test' and expires_ts is not null`;
    const late = await whoami(pair);
    expect(late.body).to.include({
      errcode: "M_UNKNOWN_TOKEN",
      soft_logout: true,
    });
    const next = pairIn((await refresh(pair.refresh)).body);
    expect((await whoami(next)).status).to.equal(200);
  });
});
