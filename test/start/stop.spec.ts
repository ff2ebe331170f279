import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { isAlive, useFolder, waitForStatus } from "./myelin.ts";

/** What whoever sends `SIGTERM` waits. */
const LONGEST_MS = 10_000;

describe("myelin serve asked to stop", function () {
  this.timeout(60_000);
  before(function () {
    if (process.platform !== "linux") this.skip();
  });
  const place = useFolder();
  const frozen = new Set<number>();
  const freeze = (pid: number) => {
    process.kill(pid, "SIGSTOP");
    frozen.add(pid);
  };
  const thaw = () => {
    for (const pid of frozen) if (isAlive(pid)) process.kill(pid, "SIGCONT");
    frozen.clear();
  };
  afterEach(thaw);

  it("stops although one of its processes is frozen", async () => {
    const environment = { MYELIN_SERVER_PROCESSES: "2" };
    const run = place.start({ environment });
    await run.ready();
    await run.logged("ready");
    const { pids } = run.log.find(({ msg }) => msg === "ready") as {
      pids: number[];
    };
    const postgres = place.postgresPid();
    freeze(pids[0]!);
    const start = performance.now();
    expect(await run.stop()).to.equal(0);
    expect(performance.now() - start).to.be.below(LONGEST_MS);
    expect(isAlive(pids[0]!)).to.equal(false);
    expect(isAlive(postgres)).to.equal(false);
  });

  it("ends although PostgreSQL is frozen, and starts again after it", async () => {
    const environment = { MYELIN_SERVER_PROCESSES: "1" };
    const run = place.start({ environment });
    await run.ready();
    const postgres = place.postgresPid();
    for (const pid of [postgres, ...listChildren(postgres)]) freeze(pid);
    const start = performance.now();
    expect(await run.stop()).to.equal(1);
    expect(performance.now() - start).to.be.below(LONGEST_MS);
    expect(run.stderr).to.include("not stopped in time");
    thaw();
    const again = place.start({ environment });
    await waitForStatus(`${await again.ready()}/health/ready`, 200);
    expect(await again.stop()).to.equal(0);
  });
});

const listChildren = (parent: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => statOf(pid)[1] === String(parent))
    .map(Number);

/** The fields behind the name: state, parent, … */
function statOf(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
