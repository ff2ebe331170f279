import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect } from "chai";
import { makeRoom, must, path, say } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Json } from "../support/server.ts";
import { withPassword } from "../support/with-password.ts";

const CANARY = "canary-Zt5Rk2";

describe("secrets in logs and tables", () => {
  const lines: string[] = [];
  const note = (details: object, message: string) => {
    const whole = { depth: 20, maxStringLength: null, maxArrayLength: null };
    lines.push(`${message} ${inspect(details, whole)}`);
  };
  const server = useServer(
    { "registration.shared_secret": `${CANARY}-shared-secret` },
    { debug: note, info: note, warn: note, error: note },
  );
  const forms = (text: string) => [
    text,
    Buffer.from(text).toString("hex"),
    Buffer.from(text).toString("base64").replace(/=+$/, ""),
    encodeURIComponent(text),
  ];

  it("C19 CVE-2023-41335 RUSTSEC-2022-0062: no password, token or message stands in a log line or a table, whatever fails on the way", async () => {
    const password = `${CANARY}-password`;
    const alice = await server.user("alice");
    const opened: string[] = [alice.accessToken];
    const form = { username: "bob", password };
    const asked = await server.post("/register", form);
    const { session } = asked.body;
    const auth = { type: "m.login.dummy", session };
    const made = must(await server.post("/register", { ...form, auth }));
    opened.push(String(made["access_token"]));
    const bob = {
      ...server.as({ accessToken: String(made["access_token"]) }),
      accessToken: String(made["access_token"]),
      userId: "@bob:test",
      deviceId: String(made["device_id"]),
      password,
    };
    for (const given of [password, `${CANARY}-wrong`]) {
      const { body } = await server.post("/login", {
        type: "m.login.password",
        user: "bob",
        password: given,
        refresh_token: true,
      });
      for (const name of ["access_token", "refresh_token"])
        if (typeof body[name] === "string") opened.push(body[name]);
    }
    const refresh_token = opened.at(-1)!;
    const pair = must(await server.post("/refresh", { refresh_token }));
    opened.push(String(pair["access_token"]), String(pair["refresh_token"]));
    const change = { new_password: `${CANARY}-new-password` };
    const wrong = { password: `${CANARY}-guess` };
    await withPassword(bob, "POST", "/account/password", change, wrong);
    await bob.post("/account/password", {
      ...change,
      auth: { type: "m.login.password", password, session: "none" },
    });
    must(await withPassword(bob, "POST", "/account/password", change));

    await server.get(`/account/whoami?access_token=${CANARY}`);
    must(await server.get(`/account/whoami?access_token=${bob.accessToken}`));
    await server.get(`/nowhere?access_token=${bob.accessToken}`);
    await server.get(`/sync?access_token=${bob.accessToken}&since=${CANARY}`);
    await server.as({ accessToken: CANARY }).get("/sync");
    await server.post("/login", `{"password":"${CANARY}"`);
    await server.post("/login", {
      type: "m.login.password",
      password: [CANARY],
    });
    await server.post("/_synapse/admin/v1/register", {
      nonce: CANARY,
      mac: CANARY,
      username: "carol",
      password: CANARY,
    });
    const roomId = await makeRoom(alice, { name: CANARY });
    await say(alice, roomId, CANARY);
    await alice.put(path`/rooms/${roomId}/send/m.room.message/big`, {
      body: CANARY.repeat(10_000),
    });
    await alice.put(path`/rooms/${roomId}/state/m.room.member/x`, {
      a: CANARY,
    });
    const data = path`/user/${alice.userId}/account_data/m.x`;
    must(await alice.put(data, { text: CANARY }));
    await server.database.sql`
      update event_contents set sealed = set_byte(sealed, 20, 0)`;
    const other = (await server.startProcess()).as(alice);
    await other.get(path`/rooms/${roomId}/messages` + "?dir=b");
    await server.database.sql`alter table receipts rename to elsewhere`;
    const failed = await alice.get("/sync");
    await server.database.sql`alter table elsewhere rename to receipts`;
    expect(failed.status).to.equal(500);

    expect(opened).to.have.length.above(5);
    const log = lines.join("\n");
    const tables = await dump();
    expect(lines.length).to.be.above(20);
    expect(log).to.include("internal error");
    expect(log).to.include("/account/whoami");
    expect(tables).to.include("@bob:test");
    for (const secret of [CANARY, ...opened]) {
      for (const shown of forms(secret)) {
        expect(log, "the log").to.not.include(shown);
        expect(tables, "the tables").to.not.include(shown);
      }
    }
  });

  async function dump(): Promise<string> {
    const { sql } = server.database;
    const tables = await sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public'`;
    const texts = await Promise.all(
      tables.map(({ name }) => sql`select t::text as row from ${sql(name)} t`),
    );
    return JSON.stringify(texts);
  }
});

describe("secrets that the server makes", () => {
  const server = useServer();

  it("C12 CVE-2019-11842: tokens have 256 random bits, none of them alike", () => {
    const tokens = Array.from({ length: 20_000 }, () =>
      Buffer.from(server.edges.random.token(), "base64url"),
    );
    expect(new Set(tokens.map(String)).size).to.equal(tokens.length);
    for (let bit = 0; bit < 256; bit += 1) {
      const set = tokens.filter(
        (bytes) => (bytes[bit >> 3]! >> (bit & 7)) & 1,
      ).length;
      // Seven standard deviations.
      expect(set, `bit ${bit}`).to.be.within(9_505, 10_495);
    }
    expect(tokens.every(({ length }) => length === 32)).to.equal(true);
  });

  it("C12 CVE-2019-11842: nothing draws from a generator that can be guessed", () => {
    const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => [file, readFileSync(join("src", file), "utf8")] as const);
    expect(sources.length).to.be.above(200);
    const weak = /Math\s*\.\s*random|pseudoRandomBytes|\bprng\b/;
    const users = sources.filter(([, text]) => weak.test(text));
    expect(users.map(([file]) => file)).to.deep.equal([]);
  });

  it("C12: the database holds SHA-256 of access and refresh tokens, and argon2id of passwords", async () => {
    const alice = await server.user("alice");
    const { body } = await server.post("/login", {
      type: "m.login.password",
      user: "alice",
      password: alice.password,
      refresh_token: true,
    });
    const hashOf = (token: unknown) =>
      createHash("sha256").update(String(token)).digest("hex");
    const { sql } = server.database;
    const access = await sql<{ hash: string }[]>`
      select encode(token_hash, 'hex') as hash from access_tokens`;
    expect(access.map(({ hash }) => hash)).to.have.members([
      hashOf(alice.accessToken),
      hashOf(body["access_token"]),
    ]);
    const refresh = await sql<{ hash: string }[]>`
      select encode(token_hash, 'hex') as hash from refresh_tokens`;
    expect(refresh).to.deep.equal([{ hash: hashOf(body["refresh_token"]) }]);
    const [user] = await sql<{ passwordHash: string }[]>`
      select password_hash from users where user_id = ${alice.userId}`;
    const [, kind, , costs = ""] = user!.passwordHash.split("$");
    expect(kind).to.equal("argon2id");
    const [, memory, times] = /^m=(\d+),t=(\d+),/.exec(costs) ?? [];
    expect(Number(memory)).to.be.at.least(19 * 1024);
    expect(Number(times)).to.be.at.least(2);
    for (const token of [alice.accessToken, body["access_token"]])
      expect(String(token)).to.match(/^myl_[\w-]{43}$/);
  });

  it("C12: two who have the same password have other hashes, and the pepper is in no table", async () => {
    const password = "the same password";
    for (const username of ["same-a", "same-b"]) {
      const auth = { type: "m.login.dummy" };
      must(await server.post("/register", { username, password, auth }));
    }
    const rows = await server.database.sql<{ passwordHash: string }[]>`
      select password_hash from users where user_id like '@same-%'`;
    expect(new Set(rows.map((row) => row.passwordHash)).size).to.equal(2);
    const { pepper } = server.edges.settings.password;
    expect(pepper.length).to.be.at.least(32);
    const settings = await server.database
      .sql`select name, value from server_settings`;
    expect(JSON.stringify(settings)).to.not.include(pepper.toString("hex"));
    expect(JSON.stringify(settings)).to.not.include(pepper.toString("base64"));
  });
});

describe("deactivated accounts", () => {
  const server = useServer();

  it("C13 CVE-2023-32682 1.6.1 #6426: come in by no way to log in, and leave no way behind", async () => {
    const alice = await server.user("alice");
    const other = await server.user("other");
    const logIn = (more: Json) =>
      server.post("/login", { password: alice.password, ...more });
    const begun = await other.post("/account/deactivate");
    const { body: pair } = await logIn({
      type: "m.login.password",
      user: "alice",
      refresh_token: true,
    });
    must(await withPassword(alice, "POST", "/account/deactivate"));
    const ways: Json[] = [
      { type: "m.login.password", user: "alice" },
      { type: "m.login.password", user: "ALICE" },
      { type: "m.login.password", user: alice.userId },
      {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: "alice" },
      },
      {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: alice.userId },
        device_id: alice.deviceId,
      },
      {
        type: "m.login.password",
        identifier: { type: "m.id.thirdparty", medium: "email", address: "a" },
      },
      { type: "m.login.token", token: alice.accessToken },
      { type: "m.login.application_service", user: "alice" },
      { type: "org.matrix.login.jwt", token: "a.b.c" },
      { type: "m.login.sso", user: "alice" },
      { type: "m.login.dummy", user: "alice" },
    ];
    for (const way of ways) {
      const answer = await logIn(way);
      expect(answer.status, JSON.stringify(way)).to.be.oneOf([400, 403]);
      expect(answer.body).to.not.have.property("access_token");
    }
    const { refresh_token } = pair;
    expect((await server.post("/refresh", { refresh_token })).status).to.equal(
      401,
    );
    // Another account cannot authorise itself by the dead one's password.
    const stolen = await other.post("/account/deactivate", {
      auth: {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: alice.userId },
        password: alice.password,
        session: begun.body["session"],
      },
    });
    expect(stolen.status).to.equal(401);
    expect((await other.get("/account/whoami")).status).to.equal(200);
    for (const accessToken of [alice.accessToken, String(pair["access_token"])])
      expect(
        (await server.as({ accessToken }).get("/account/whoami")).status,
      ).to.equal(401);
    const { sql } = server.database;
    for (const table of [
      "access_tokens",
      "refresh_tokens",
      "devices",
      "device_keys",
      "one_time_keys",
      "fallback_keys",
      "profile_fields",
      "account_data",
      "filters",
      "to_device",
    ]) {
      const rows = await sql`
        select from ${sql(table)} where user_id = ${alice.userId}`;
      expect(rows, table).to.have.length(0);
    }
  });
});
