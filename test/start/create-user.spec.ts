import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { isAlive, useFolder } from "./myelin.ts";

describe("myelin admin create-user", function () {
  this.timeout(60_000);
  const place = useFolder();

  const launch = (username: string, ...rest: string[]) => {
    const program = join(process.cwd(), "bin", "myelin.js");
    const words = ["admin", "create-user", "--password-stdin"];
    return spawn(
      process.execPath,
      [program, ...words, "--username", username, ...rest],
      { cwd: place.folder, stdio: "pipe" },
    );
  };

  async function create(username: string, password: string, ...rest: string[]) {
    const child = launch(username, ...rest);
    child.stdin.end(`${password}\n`);
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = (await once(child, "exit")) as [number];
    const [stdout, stderr] = await output;
    return { code, stdout, stderr };
  }

  it("makes the first administrator before any start, who can log in after it", async () => {
    const made = await create("alice", "correct horse battery", "--admin");
    expect(made).to.deep.equal({
      code: 0,
      stdout: "@alice:localhost is there now.\n",
      stderr: "",
    });
    const run = place.start();
    const login = (user: string, password: string) =>
      run.ready().then((url) =>
        fetch(`${url}/_matrix/client/v3/login`, {
          method: "POST",
          body: JSON.stringify({
            type: "m.login.password",
            identifier: { type: "m.id.user", user },
            password,
          }),
        }),
      );
    expect((await login("alice", "correct horse battery")).status).to.equal(
      200,
    );
    expect((await login("alice", "correct horse")).status).to.equal(403);

    expect((await create("bob", "battery staple")).code).to.equal(0);
    expect((await login("bob", "battery staple")).status).to.equal(200);
    expect(await run.stop()).to.equal(0);
  });

  it("lets an administrator administrate through the socket", async () => {
    const run = place.start();
    await run.ready();
    const ask = async (words: string[], token = "", input = "") => {
      const child = spawn(
        process.execPath,
        [join(process.cwd(), "bin", "myelin.js"), "admin", ...words],
        {
          cwd: place.folder,
          stdio: "pipe",
          env: { PATH: process.env["PATH"], MYELIN_ADMIN_TOKEN: token },
        },
      );
      child.stdin.end(input);
      return text(child.stdout);
    };
    const login = ["login", "--username", "alice", "--password-stdin"];
    const token = await ask(login, "", "correct horse battery");
    const users = await ask(["users", "list"], token.trim());
    expect(users).to.match(/^@alice:localhost/m);
    expect(await run.stop()).to.equal(0);
  });

  it("says why it made none", async () => {
    const taken = await create("alice", "correct horse battery");
    expect(taken.code).to.equal(1);
    expect(taken.stderr).to.equal("This user name is taken.\n");
    expect((await create("carol", "short")).stderr).to.include("8 characters");
    expect((await create("", "correct horse battery")).code).to.equal(2);
  });

  it("leaves no PostgreSQL behind when it is interrupted", async () => {
    const child = launch("dora");
    child.stdin.end("correct horse battery\n");
    const ended = once(child, "exit");
    const file = join(place.folder, "data", "postgres", "postmaster.pid");
    while (!existsSync(file)) await new Promise(setImmediate);
    const postgres = place.postgresPid();
    child.kill("SIGTERM");
    await ended;
    while (isAlive(postgres)) await new Promise(setImmediate);
  });
});
