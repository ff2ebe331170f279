import { expect } from "chai";
import { must } from "../../support/rooms.ts";
import {
  type Answer,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

const PATH = "/_matrix/client/v1/login/get_token";

const errorOf = ({ status, body }: Answer) => [status, body["errcode"]];

describe("login tokens", () => {
  const server = useServer({ "login_tokens.enabled": true });
  let other: TestProcess;

  before(async () => {
    other = await server.startProcess();
  });

  const getToken = async (user: TestUser): Promise<string> => {
    const answer = await withPassword(user, "POST", PATH);
    const { login_token, expires_in_ms } = must<{
      login_token: string;
      expires_in_ms: number;
    }>(answer);
    expect(expires_in_ms).to.equal(120_000);
    return login_token;
  };

  const logIn = (token: string, client = other as Pick<TestProcess, "post">) =>
    client.post("/login", { type: "m.login.token", token });

  it("log in another device of the same user, once", async () => {
    const alice = await server.user("alice");
    const token = await getToken(alice);
    const body = must<Record<string, string>>(await logIn(token));
    expect(body["user_id"]).to.equal(alice.userId);
    expect(body["device_id"]).to.not.equal(alice.deviceId);
    const opened = server.as({ accessToken: body["access_token"]! });
    expect((await opened.get("/account/whoami")).status).to.equal(200);
    expect(errorOf(await logIn(token))).to.deep.equal([403, "M_FORBIDDEN"]);
    for (const wrong of ["", "\0", "x".repeat(5000), `${token}x`])
      expect(errorOf(await logIn(wrong))).to.deep.equal([403, "M_FORBIDDEN"]);
    const missing = await server.post("/login", { type: "m.login.token" });
    expect(errorOf(missing)).to.deep.equal([400, "M_MISSING_PARAM"]);
  });

  it("take the password of the one who asks, and of no other", async () => {
    const [alice, bob] = [await server.user("asks"), await server.user("bob")];
    const asked = await alice.post(PATH);
    expect(asked.status).to.equal(401);
    expect(asked.body["flows"]).to.deep.equal([
      { stages: ["m.login.password"] },
    ]);
    const wrong = await withPassword(
      alice,
      "POST",
      PATH,
      {},
      {
        identifier: { type: "m.id.user", user: bob.userId },
        password: bob.password,
      },
    );
    expect(errorOf(wrong)).to.deep.equal([401, "M_FORBIDDEN"]);
    const rows = await server.database.sql`
      select from login_tokens where user_id = ${alice.userId}`;
    expect(rows).to.have.length(0);
  });

  it("row 56: serve one of a hundred who race in two processes", async () => {
    const alice = await server.user("raced");
    const token = await getToken(alice);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        logIn(token, i % 2 ? server : other),
      ),
    );
    const served = answers.filter(({ status }) => status === 200);
    expect(served).to.have.length(1);
    for (const answer of answers) {
      if (answer !== served[0])
        expect(errorOf(answer)).to.deep.equal([403, "M_FORBIDDEN"]);
    }
    const devices = must<{ devices: object[] }>(await alice.get("/devices"));
    expect(devices.devices).to.have.length(2);
  }).timeout(30_000);

  it("row 56: are over after two minutes", async () => {
    const alice = await server.user("late");
    const token = await getToken(alice);
    const [row] = await server.database.sql<{ expiresTs: number }[]>`
      select expires_ts from login_tokens where user_id = ${alice.userId}`;
    expect(row!.expiresTs - Date.now()).to.be.within(100_000, 120_000);
    await server.database.sql`
      update login_tokens set expires_ts = ${Date.now() - 1} where user_id = ${alice.userId}`;
    expect(errorOf(await logIn(token))).to.deep.equal([403, "M_FORBIDDEN"]);
  });

  const ENDS: Record<string, (user: TestUser) => Promise<Answer>> = {
    "its device is logged out": (user) => user.post("/logout"),
    "all are logged out": (user) => user.post("/logout/all"),
    "the password is changed": (user) =>
      withPassword(user, "POST", "/account/password", {
        new_password: "another password",
        logout_devices: false,
      }),
    "the account is deactivated": (user) =>
      withPassword(user, "POST", "/account/deactivate"),
  };
  let names = 0;
  for (const [what, end] of Object.entries(ENDS)) {
    it(`row 58: are good for nothing once ${what}`, async () => {
      const user = await server.user(`ends${(names += 1)}`);
      const token = await getToken(user);
      must(await end(user));
      expect(errorOf(await logIn(token))).to.deep.equal([403, "M_FORBIDDEN"]);
    });
  }

  it("let nobody in to a locked account", async () => {
    const alice = await server.user("locked");
    const token = await getToken(alice);
    await server.database
      .sql`update users set is_locked = true where user_id = ${alice.userId}`;
    expect(errorOf(await logIn(token))).to.deep.equal([401, "M_USER_LOCKED"]);
  });

  it("stand in no table as they are", async () => {
    const alice = await server.user("hashed");
    const token = await getToken(alice);
    const rows = await server.database
      .sql`select t::text as row from login_tokens t`;
    expect(JSON.stringify(rows)).to.not.include(token);
  });

  it("are told of to whoever asks what is offered", async () => {
    const alice = await server.user("curious");
    const { flows } = must<{ flows: object[] }>(await server.get("/login"));
    expect(flows).to.deep.include({
      type: "m.login.token",
      get_login_token: true,
    });
    const { capabilities } = must<{ capabilities: object }>(
      await alice.get("/capabilities"),
    );
    expect(capabilities).to.deep.include({
      "m.get_login_token": { enabled: true },
    });
  });
});

describe("login tokens, where nobody switched them on", () => {
  const server = useServer();

  it("are neither offered nor given out nor taken", async () => {
    const alice = await server.user("alice");
    const { flows } = must<{ flows: { type: string }[] }>(
      await server.get("/login"),
    );
    expect(flows).to.deep.equal([{ type: "m.login.password" }]);
    const { capabilities } = must<{ capabilities: object }>(
      await alice.get("/capabilities"),
    );
    expect(capabilities).to.deep.include({
      "m.get_login_token": { enabled: false },
    });
    const asked = await alice.post(PATH);
    expect(errorOf(asked)).to.deep.equal([404, "M_UNRECOGNIZED"]);
    const login = { type: "m.login.token", token: "x" };
    const answer = await server.post("/login", login);
    expect(errorOf(answer)).to.deep.equal([400, "M_UNKNOWN"]);
  });
});
