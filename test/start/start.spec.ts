import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { isAlive, useFolder, waitForStatus, type Myelin } from "./myelin.ts";

const CANARY = "a-canary-that-nobody-may-see";

describe("myelin serve without settings", function () {
  this.timeout(60_000);
  const place = useFolder();
  let run: Myelin;
  let url: string;
  before(async () => {
    const environment = { MYELIN_REGISTRATION_SHARED_SECRET: CANARY };
    run = place.start({ environment });
    url = await run.ready();
  });

  it("says its address, how to make an administrator, and where the data lie", async () => {
    expect(new URL(url).hostname).to.equal("127.0.0.1");
    expect(run.stdout).to.include("npx myelin admin create-user");
    expect(run.stdout).to.include(join(place.folder, "data"));
    await waitForStatus(`${url}/health/live`, 200);
    await waitForStatus(`${url}/health/ready`, 200);
  });

  it("has a page for people, which loads nothing from elsewhere", async () => {
    const page = await fetch(url);
    const policy = page.headers.get("content-security-policy");
    expect(policy).to.include("default-src 'none'");
    expect(policy).to.include("frame-ancestors 'none'");
    const html = await page.text();
    expect(html).to.include(url).and.to.include("make one for you");
    expect(html).to.not.match(/<script|<img|<link|@import/);
  });

  it("keeps PostgreSQL's passwords and our environment to itself", () => {
    const { mode } = statSync(join(place.folder, "data", "postgres.json"));
    expect(mode & 0o777).to.equal(0o600);
    const { password } = place.access();
    const log = join(place.folder, "data", "postgres.log");
    const written = readFileSync(log, "utf8") + run.stdout + run.stderr;
    expect(written).to.not.include(password).and.not.include(CANARY);
    if (process.platform !== "linux") return;
    const environment = `/proc/${place.postgresPid()}/environ`;
    expect(readFileSync(environment, "utf8")).to.not.include(CANARY);
  });

  it("logs one JSON object a line", async () => {
    await (await fetch(`${url}/%0a%1b[31m`)).arrayBuffer();
    const lines = run.stderr.trimEnd().split("\n");
    expect(lines).to.have.length.above(1);
    for (const line of lines) expect(JSON.parse(line)).to.have.property("msg");
  });

  it("refuses a data folder in use and names the process", async () => {
    const second = place.start();
    expect(await second.ended).to.equal(1);
    expect(second.stderr).to.include(`process ${run.child.pid}.`);
  });

  it("starts PostgreSQL again when that was killed", async () => {
    const killed = place.postgresPid();
    process.kill(killed, "SIGKILL");
    await run.logged("PostgreSQL runs again");
    await waitForStatus(`${url}/health/ready`, 200);
    expect(place.postgresPid()).to.not.equal(killed);
  });

  it("stops within 10 s, PostgreSQL too, when told to", async () => {
    const pid = place.postgresPid();
    expect(await run.stop()).to.equal(0);
    expect(isAlive(pid)).to.equal(false);
  }).timeout(10_000);

  it("serves again after its kill -9, which left PostgreSQL running", async () => {
    const killed = place.start();
    await killed.ready();
    const orphan = place.postgresPid();
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(isAlive(orphan)).to.equal(true);
    const again = place.start();
    await waitForStatus(`${await again.ready()}/health/ready`, 200);
    expect(isAlive(orphan)).to.equal(false);
    expect(await again.stop()).to.equal(0);
  });

  it("serves on when nobody reads its log any more", async () => {
    for (const processes of ["1", "2"]) {
      const environment = { MYELIN_SERVER_PROCESSES: processes };
      const unread = place.start({ environment });
      const ready = `${await unread.ready()}/health/ready`;
      unread.child.stderr?.destroy();
      for (let times = 0; times < 5; times += 1)
        expect((await fetch(ready)).status).to.equal(200);
      expect(await unread.stop()).to.equal(0);
    }
  });

  it("refuses another server name and says why", async () => {
    const renamed = place.start({
      environment: { MYELIN_SERVER_NAME: "other.example" },
    });
    expect(await renamed.ended).to.equal(1);
    expect(renamed.stderr)
      .to.include("server_name is other.example")
      .and.include("the server localhost")
      .and.include("part of every user id");
  });
});
