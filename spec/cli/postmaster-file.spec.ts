import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stopOrphan } from "../../src/cli/postgres/postmaster-file.ts";
import { testProgram } from "./program.ts";

describe("stopOrphan", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "myelin-orphan-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const writeFile = (pid: number) =>
    writeFileSync(join(folder, "postmaster.pid"), `${pid}\n${folder}\n`);
  const isNamed = () => existsSync(join(folder, "postmaster.pid"));

  /** A living process that works in `cwd`, with words that say no more than they must. */
  async function withProcess(
    { cwd, words = [] }: { cwd: string; words?: string[] },
    use: (pid: number, ended: Promise<unknown>) => Promise<void>,
  ) {
    const script = ["-e", "setInterval(String, 1e6)", "--", ...words];
    const child = spawn(process.execPath, script, { cwd });
    const ended = once(child, "exit");
    await once(child, "spawn");
    try {
      await use(child.pid!, ended);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  }

  const spares = (pid: number) =>
    testProgram({
      sendSignal: () => expect.fail(`process ${pid} is not ours to end`),
    });

  it("stops the PostgreSQL that works in the folder", async () => {
    await withProcess({ cwd: folder }, async (pid, ended) => {
      writeFile(pid);
      await stopOrphan(testProgram(), folder);
      await ended;
    });
  });

  it("spares another program that has the number now, and removes the file", async () => {
    await withProcess({ cwd: tmpdir() }, async (pid) => {
      writeFile(pid);
      await stopOrphan(spares(pid), folder);
      expect(isNamed()).to.equal(false);
    });
  });

  it("tells them apart by the command where there is no /proc", async function () {
    const ask = spawn("ps", ["-p", String(process.pid)], { stdio: "ignore" });
    const hasPs = await new Promise((resolve) => {
      ask.once("error", () => resolve(false));
      ask.once("exit", (code) => resolve(code === 0));
    });
    if (!hasPs) this.skip();
    await withProcess({ cwd: folder }, async (pid) => {
      writeFile(pid);
      await stopOrphan({ ...spares(pid), platform: "darwin" }, folder);
      expect(isNamed()).to.equal(false);
    });
    const words = ["-D", folder];
    await withProcess({ cwd: tmpdir(), words }, async (pid, ended) => {
      writeFile(pid);
      await stopOrphan(testProgram({ platform: "darwin" }), folder);
      await ended;
    });
  });

  it("removes the file of one that is dead but not buried", async function () {
    if (process.platform !== "linux") this.skip();
    const script = "sleep 0.2 & echo $!; exec sleep 1000";
    const parent = spawn("sh", ["-c", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(String(line));
    try {
      while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")))
        await new Promise(setImmediate);
      writeFile(pid);
      await stopOrphan(spares(pid), folder);
      expect(isNamed()).to.equal(false);
    } finally {
      parent.kill("SIGKILL");
      await once(parent, "exit");
    }
  });

  it("leaves the file of one that is gone to PostgreSQL", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    writeFile(child.pid!);
    await stopOrphan(spares(child.pid!), folder);
    expect(isNamed()).to.equal(true);
  });
});
