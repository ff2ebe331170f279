import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { expect } from "chai";
import { run } from "../../src/cli/run.ts";
import { renderFacts, renderTable } from "../../src/cli/table.ts";
import { administrator } from "../support/administrators.ts";
import { readAudit } from "../support/audit.ts";
import { makeRoom, must } from "../support/rooms.ts";
import { useServer, type TestUser } from "../support/server.ts";
import { doTasks } from "../support/tasks.ts";
import { useFolders } from "../support/use-folder.ts";
import { testProgram } from "./program.ts";

describe("myelin admin", () => {
  const server = useServer({ "admin.undo_window_hours": 1 });
  const makeFolder = useFolders();
  let root: TestUser;
  let security: TestUser;
  let auditor: TestUser;

  before(async () => {
    root = await administrator(server, "root", "system-admin");
    security = await administrator(server, "security", "security-admin");
    auditor = await administrator(server, "auditor", "auditor");
  });

  const collector = () => {
    let text = "";
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    return { stream, text: () => text };
  };

  async function myelin(
    by: Pick<TestUser, "accessToken"> | undefined,
    words: readonly string[],
    input = "",
    settings?: Readonly<Record<string, string>>,
  ) {
    const [out, err] = [collector(), collector()];
    const code = await run(
      testProgram({
        arguments: [
          ...["admin", ...words],
          ...(settings ? [] : ["--url", `http://127.0.0.1:${server.port}`]),
        ],
        environment: {
          MYELIN_SERVER_NAME: "test",
          ...settings,
          ...(by && { MYELIN_ADMIN_TOKEN: by.accessToken }),
        },
        folder: "/",
        stdin: Readable.from([input]),
        stdout: out.stream,
        stderr: err.stream,
      }),
    );
    return { code, out: out.text(), err: err.text() };
  }

  const done = async (
    by: TestUser,
    words: readonly string[],
    input?: string,
  ): Promise<string> => {
    const { code, out, err } = await myelin(by, words, input);
    expect(code, err).to.equal(0);
    return out;
  };

  it("lists and shows users, in a table or as JSON", async () => {
    await server.user("anna");
    const table = await done(root, ["users", "list", "--name", "ann"]);
    expect(table.split("\n")[0]).to.match(/^USER +NAME +ADMIN +LOCKED/);
    expect(table).to.match(/^@anna:test +anna +no +no +no/m);
    const json = await done(root, ["users", "list", "--name", "ann", "--json"]);
    expect(JSON.parse(json)).to.have.nested.property("users[0].name");
    const facts = await done(root, ["users", "show", "anna"]);
    expect(facts).to.match(/^name +@anna:test$/m);
    const part = await done(root, ["users", "list", "--limit", "1"]);
    expect(part).to.include("go on with --from 1");
  });

  it("locks, unlocks, gives a password, and ends accounts", async () => {
    const user = await server.user("bert");
    expect(await done(root, ["users", "lock", "bert"])).to.include("locked");
    const locked = await user.get("/account/whoami");
    expect(locked.body["errcode"]).to.equal("M_USER_LOCKED");
    await done(root, ["users", "unlock", user.userId]);
    must(await user.get("/account/whoami"));
    await done(
      root,
      ["users", "reset-password", "bert", "--password-stdin"],
      "a new password\n",
    );
    must(
      await server.post("/login", {
        ...{ type: "m.login.password", password: "a new password" },
        identifier: { type: "m.id.user", user: "bert" },
      }),
    );
    await done(root, ["users", "deactivate", "bert"]);
    const shown = await done(root, ["users", "show", "bert"]);
    expect(shown).to.match(/^deactivated +yes$/m);
  });

  it("has accounts made of a list, or says what is wrong with it", async () => {
    const folder = await makeFolder();
    const [good, bad] = [join(folder, "good.csv"), join(folder, "bad.csv")];
    await writeFile(good, "localpart,displayname\nimported,Im Ported\n");
    await writeFile(bad, "localpart\nno name\n");
    const tried = await done(root, ["import-users", good, "--dry-run"]);
    expect(tried).to.match(/^accounts +1$/m);
    const begun = await done(root, ["import-users", good]);
    expect(begun).to.match(/^job_id +\S+$/m);
    await doTasks(server);
    const shown = await done(root, ["users", "show", "imported"]);
    expect(shown).to.match(/^displayname +Im Ported$/m);
    const faulty = await myelin(root, ["import-users", bad, "--dry-run"]);
    expect(faulty.code).to.equal(1);
    expect(faulty.out).to.match(/^2 +localpart +A user name/m);
    const refused = await myelin(root, ["import-users", bad]);
    expect(refused.err).to.include("line 2");
    const absent = await myelin(root, ["import-users", join(folder, "none")]);
    expect(absent.code).to.equal(2);
  });

  it("lists, shows and deletes rooms, and takes that back", async () => {
    const roomId = await makeRoom(root, { name: "Room of cleaning" });
    const found = await done(root, ["rooms", "list", "--search", "cleaning"]);
    expect(found).to.include(roomId).and.include("Room of cleaning");
    expect(await done(root, ["rooms", "show", roomId])).to.include("joined");
    const gone = await done(root, ["rooms", "delete", roomId, "--block"]);
    expect(gone).to.include("delete_id");
    const jobs = await done(root, ["jobs", "list", "--json"]);
    const { job_id } = (
      JSON.parse(jobs) as { jobs: { job_id: string; room_id: string }[] }
    ).jobs.find(({ room_id }) => room_id === roomId)!;
    expect(await done(root, ["jobs", "cancel", job_id])).to.include(
      "cancelled",
    );
  });

  it("grants and revokes roles, by who may, with a reason", async () => {
    const user = await server.user("carla");
    const words = ["roles", "grant", "carla", "helpdesk", "--days", "3"];
    expect((await myelin(security, words)).code).to.equal(2);
    await done(security, [...words, "--reason", "on duty"]);
    const held = await done(security, ["roles", "bindings", "--user", "carla"]);
    expect(held).to.include("helpdesk").and.include("on duty");
    const [, id] = /^(\d+) /m.exec(held)!;
    expect(await done(security, ["roles", "revoke", id!])).to.equal("Done.\n");
    const none = await done(security, ["roles", "bindings", "--user", "carla"]);
    expect(none).to.not.include(user.userId);
    const refused = await myelin(root, [...words, "--reason", "on duty"]);
    expect(refused.code).to.equal(1);
    expect(refused.err).to.include("M_FORBIDDEN").and.include("roles.grant");
    expect(await done(security, ["roles", "list"])).to.include("auditor");
  });

  it("makes tokens of the admin API and of registration", async () => {
    const made = await done(root, [
      ...["tokens", "create", "nightly", "--permissions", "users.read"],
      ...["--networks", "127.0.0.0/8", "--days", "2"],
    ]);
    const [, token] = /^token +(\S+)$/m.exec(made)!;
    const list = await done({ ...root, accessToken: token! }, [
      "users",
      "list",
    ]);
    expect(list).to.include("@root:test");
    const own = await done(root, ["tokens", "list"]);
    const [, id] = /^(\d+) +nightly/m.exec(own)!;
    await done(root, ["tokens", "revoke", id!]);
    expect(await done(root, ["tokens", "list"])).to.not.include("nightly");
    const invite = await done(root, [
      ...["registration-tokens", "create", "--uses", "2"],
    ]);
    const [, name] = /^token +(\S+)$/m.exec(invite)!;
    const tokens = ["registration-tokens", "list"];
    expect(await done(root, tokens)).to.include(name);
    await done(root, ["registration-tokens", "delete", name!]);
    expect(await done(root, tokens)).to.not.include(name);
  });

  it("reads the audit log and alerts, and is in it like any request", async () => {
    const log = await done(auditor, ["audit", "query", "--action", "users.*"]);
    expect(log).to.match(/@root:test +user +users\.\w+ +allowed/);
    expect(await done(auditor, ["alerts", "list", "--open"])).to.include(
      "DETECTOR",
    );
    const missing = ["alerts", "acknowledge", "1", "--comment", "c"];
    expect((await myelin(auditor, missing)).err).to.include("M_NOT_FOUND");
    const own = (await readAudit(server)).filter(
      ({ action, actor }) =>
        action === "audit.read" && actor["user_id"] === auditor.userId,
    );
    expect(own.length).to.be.above(0);
    expect(own[0]!.actor["user_agent"]).to.equal("myelin");
  });

  it("asks anything by hand", async () => {
    const answer = await done(root, ["request", "get", "server-version"]);
    expect(JSON.parse(answer)).to.have.property("server_version");
    const path = "/_synapse/admin/v1/suspend/@root:test";
    const odd = await myelin(root, ["request", "PUT", path, '{"suspend":1}']);
    expect(odd).to.include({ code: 1, out: "" });
    expect(odd.err).to.include("M_BAD_JSON");
    const nonsense = await myelin(root, ["request", "PUT", path, "[1]"]);
    expect(nonsense.code).to.equal(2);
  });

  it("finds a listener on this machine by the settings, which speaks no TLS there even where the server has a certificate", async () => {
    const settings = {
      MYELIN_LISTENERS_ADMIN_PORT: String(server.port),
      MYELIN_TLS_CERTIFICATE: "/absent/certificate.pem",
      MYELIN_TLS_PRIVATE_KEY: "/absent/key.pem",
    };
    for (const host of ["127.0.0.1", "localhost"]) {
      const { code, out, err } = await myelin(root, ["users", "list"], "", {
        ...settings,
        MYELIN_LISTENERS_ADMIN_HOST: host,
      });
      expect(code, err).to.equal(0);
      expect(out).to.include("@root:test");
    }
    const elsewhere = await myelin(root, ["users", "list"], "", {
      ...settings,
      MYELIN_LISTENERS_ADMIN_HOST: "0.0.0.0",
    });
    expect(elsewhere.err).to.include(`https://0.0.0.0:${server.port}`);
  });

  it("logs in, and says what is missing", async () => {
    const words = ["login", "--username", "root", "--password-stdin"];
    const { out } = await myelin(undefined, words, root.password);
    const list = await done({ ...root, accessToken: out.trim() }, [
      ...["users", "list"],
    ]);
    expect(list).to.include("@root:test");
    expect((await myelin(undefined, words, "wrong")).err).to.include(
      "M_FORBIDDEN",
    );
    const tokenless = await myelin(undefined, ["users", "list"]);
    expect(tokenless.code).to.equal(2);
    expect(tokenless.err).to.include("MYELIN_ADMIN_TOKEN");
    for (const words of [
      ["users"],
      ["users", "show"],
      ["users", "show", "a", "b"],
      ["users", "constructor"],
      ["users", "list", "--odd"],
      ["request", "GET"],
    ])
      expect((await myelin(root, words)).code, words.join(" ")).to.equal(2);
  });
});

describe("tables of the command line", () => {
  it("hand a terminal nothing that it would obey", () => {
    const row = { name: "\u001b[31mred\n", when: 0, deep: { er: [1, true] } };
    const table = renderTable(
      [
        ["NAME", "name"],
        ["WHEN", "when", "time"],
        ["DEEP", "deep.er"],
        ["NONE", "deep.none.at.all"],
      ],
      [row],
    );
    expect(table).to.equal(
      "NAME       WHEN                 DEEP      NONE\n" +
        "\ufffd[31mred\ufffd  1970-01-01 00:00:00  [1,true]\n",
    );
    expect(renderFacts({ "a\u0007": "b\u009bc", at_ts: 0 })).to.equal(
      "a\ufffd     b\ufffdc\nat_ts  1970-01-01 00:00:00\n",
    );
  });
});
