import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findHolder, lockDataFolder } from "../../src/cli/data-folder.ts";
import { findProcessIdentity } from "../../src/cli/process-identity.ts";
import { StartError } from "../../src/cli/start-error.ts";
import { testProgram } from "./program.ts";

describe("lockDataFolder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "myelin-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A living process that is not this one. */
  async function withOther(use: (pid: number) => Promise<void>) {
    const other = spawn(process.execPath, ["-e", "setInterval(String, 1e6)"]);
    await once(other, "spawn");
    try {
      await use(other.pid!);
    } finally {
      other.kill("SIGKILL");
      await once(other, "exit");
    }
  }

  it("refuses while its holder lives, and names it", async () => {
    await withOther(async (pid) => {
      await lockDataFolder(testProgram({ pid }), folder);
      const refusal = await lockDataFolder(testProgram(), folder).catch(
        (error: unknown) => error,
      );
      expect(refusal).to.be.instanceOf(StartError);
      expect(String(refusal)).to.include(`process ${pid}.`);
      expect(await findHolder(testProgram(), folder)).to.equal(pid);
    });
    await lockDataFolder(testProgram(), folder);
  });

  it("is free again once released, and leaves nothing behind", async () => {
    const lock = await lockDataFolder(testProgram(), folder);
    expect(readdirSync(folder)).to.deep.equal(["lock"]);
    await lock.release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("sees that another process got the holder's number", async function () {
    if (process.platform !== "linux") this.skip();
    await withOther(async (pid) => {
      const holder = { pid, identity: "1" };
      writeFileSync(join(folder, "lock"), JSON.stringify(holder));
      await lockDataFolder(testProgram(), folder);
    });
  });

  it("takes over a lock that a power cut left empty", async () => {
    writeFileSync(join(folder, "lock"), "");
    await lockDataFolder(testProgram(), folder);
  });

  it("leaves alone who claims an abandoned folder at the same time", async () => {
    const file = join(folder, "lock");
    const stale = 4_000_001;
    const faster = 4_000_002;
    const claim = (pid: number) =>
      writeFileSync(file, JSON.stringify({ pid, identity: "alive" }));
    claim(stale);
    const program = testProgram({
      platform: "darwin",
      isAlive(pid) {
        if (pid === stale) claim(faster);
        return pid !== stale;
      },
    });
    const refusal = await lockDataFolder(program, folder).catch(
      (error: unknown) => error,
    );
    expect(String(refusal)).to.include(`process ${faster}.`);
    expect(await findHolder(program, folder)).to.equal(faster);
    expect(readdirSync(folder)).to.deep.equal(["lock"]);
  });

  it("lets one of many win", async () => {
    await withOther(async (first) => {
      await withOther(async (second) => {
        const claims = [first, second].flatMap((pid) => [
          lockDataFolder(testProgram({ pid }), folder),
        ]);
        const results = await Promise.allSettled(claims);
        const won = results.filter(({ status }) => status === "fulfilled");
        expect(won).to.have.length(1);
      });
    });
  });
});

describe("findProcessIdentity", () => {
  it("knows the living from the gone", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    const program = testProgram();
    expect(await findProcessIdentity(program, child.pid!)).to.equal(undefined);
    expect(await findProcessIdentity(program, process.pid)).to.be.a("string");
  });
});
