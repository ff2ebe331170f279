import { once } from "node:events";
import { cpSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import postgres from "postgres";
import { isAlive, useFolder, waitForStatus, type Myelin } from "./myelin.ts";

const settings = {
  MYELIN_SERVER_PROCESSES: "2",
  MYELIN_METRICS_ENABLED: "true",
  MYELIN_METRICS_PORT: "0",
};

describe("myelin serve in several processes", function () {
  this.timeout(90_000);
  const place = useFolder();
  const fresh = useFolder();
  let run: Myelin;
  let url: string;
  before(async () => {
    run = place.start({ environment: settings });
    url = await run.ready();
  });
  const databaseUrl = (role: "myelin" | "postgres") => {
    const { port, password, adminPassword } = place.access();
    const secret = role === "myelin" ? password : adminPassword;
    return `postgres://${role}:${secret}@127.0.0.1:${port}/myelin`;
  };

  it("starts although a process is killed before it serves", async () => {
    const other = fresh.start({ environment: settings });
    const isWorker = (pid: string) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("main.js");
    const { pid } = other.child;
    const listWorkers = () =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
        .split(" ")
        .filter((child) => child !== "" && isWorker(child));
    // The database is still made then.
    let workers: string[] = [];
    while (workers.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      workers = listWorkers();
    }
    process.kill(Number(workers[0]), "SIGKILL");
    await waitForStatus(`${await other.ready()}/health/ready`, 200);
    expect(other.log.some(({ msg }) => msg === "a process died")).to.equal(
      true,
    );
    expect(await other.stop()).to.equal(0);
  });

  it("serves from both", async () => {
    const processes = new Set<unknown>();
    while (processes.size < 2) {
      const answer = await fetch(`${url}/`, {
        headers: { Connection: "close" },
      });
      await answer.arrayBuffer();
      for (const line of run.log)
        if (line["msg"] === "request") processes.add(line["process"]);
    }
    expect([...processes]).to.have.members([0, 1]);
  });

  it("adds up the figures of both on a listener of their own", async () => {
    const { metrics } = run.log.find(({ msg }) => msg === "ready") as {
      metrics: string;
    };
    const text = await (await fetch(metrics)).text();
    expect(text).to.match(/^process_resident_memory_bytes \d+/m);
    expect((await fetch(`${metrics}?job=myelin`)).status).to.equal(200);
    expect((await fetch(`${url}/metrics`)).status).to.equal(404);
  });

  it("replaces a process that was killed and serves on meanwhile", async () => {
    const { pids } = run.log.find(({ msg }) => msg === "ready") as {
      pids: number[];
    };
    process.kill(pids[0]!, "SIGKILL");
    await run.logged("a process died");
    await waitForStatus(`${url}/health/ready`, 200);
    await run.logged("a process was replaced");
  });

  it("replaces a process that has hung, and adds up the figures of the others meanwhile", async () => {
    const { pids } = run.log.find(({ msg }) => msg === "ready") as {
      pids: number[];
    };
    const countReplaced = () =>
      run.log.filter(({ msg }) => msg === "a process was replaced").length;
    const before = countReplaced();
    const { metrics } = run.log.find(({ msg }) => msg === "ready") as {
      metrics: string;
    };
    process.kill(pids[1]!, "SIGSTOP");
    const answer = await fetch(metrics);
    expect(answer.status).to.equal(200);
    expect(await answer.text()).to.match(/^process_cpu_seconds_total \d/m);
    await run.logged("a process has hung and is ended");
    while (countReplaced() === before) await once(run.child.stderr!, "data");
    expect(isAlive(pids[1]!)).to.equal(false);
    await waitForStatus(`${url}/health/ready`, 200);
  });

  it("shares a database with servers of other machines that have its keys", async () => {
    const environment = { MYELIN_DATABASE_URL: databaseUrl("myelin") };
    const data = ["serve", "--port", "0", "--data", "elsewhere"];
    const stranger = place.start({ environment, arguments: data });
    expect(await stranger.ended).to.equal(1);
    expect(stranger.stderr).to.include(join("elsewhere", "keys", "master-1"));

    const keys = join(place.folder, "data", "keys");
    const elsewhere = join(place.folder, "elsewhere", "keys");
    cpSync(keys, elsewhere, { recursive: true });
    const other = place.start({ environment, arguments: data });
    await waitForStatus(`${await other.ready()}/health/ready`, 200);
    expect(await other.stop()).to.equal(0);
  });

  it("refuses a database that may forget what it acknowledged", async () => {
    const admin = postgres(databaseUrl("postgres"), { max: 1 });
    await admin`alter role myelin set synchronous_commit = off`;
    const environment = { MYELIN_DATABASE_URL: databaseUrl("myelin") };
    const data = ["serve", "--port", "0", "--data", "elsewhere"];
    const refused = place.start({ environment, arguments: data });
    expect(await refused.ended).to.equal(1);
    expect(refused.stderr).to.include("synchronous_commit must not be off");
    await admin`alter role myelin reset synchronous_commit`;
    await admin.end();
  });

  it("stops within 10 s although a client never finishes its request", async () => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    const start = performance.now();
    expect(await run.stop()).to.equal(0);
    expect(performance.now() - start).to.be.below(10_000);
    socket.destroy();
  });
});
