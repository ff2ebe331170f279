import { spawn } from "node:child_process";
import { pbkdf2 } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { launchPostmaster } from "../../src/cli/postgres/postmaster.ts";
import type { Launch } from "../../src/cli/postgres/launcher.ts";
import { StartError } from "../../src/cli/start-error.ts";

describe("launchPostmaster", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "myelin-postmaster-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const place = () => ({
    folder,
    logFile: join(folder, "log"),
    port: 1,
    maxConnections: 20,
  });
  const binaries = { postgres: "/nowhere/postgres", initdb: "/nowhere/initdb" };

  /** Keeps the threads busy that files are read and closed by. */
  function occupyThreads() {
    for (let job = 0; job < 8; job += 1)
      pbkdf2("a", "b", 200_000, 64, "sha512", () => undefined);
  }

  async function failureOf(launch: Launch): Promise<unknown> {
    const { ready } = await launchPostmaster(place(), binaries, launch);
    return ready.then(
      () => "ready",
      (error: unknown) => error,
    );
  }

  it("notices one that ends at once, however slow the disk is", async () => {
    const failure = await failureOf((_command, _args, stdio) => {
      occupyThreads();
      return spawn("false", [], { stdio });
    });
    expect(failure).to.be.instanceOf(StartError);
  });

  it("notices one that cannot be started at all", async () => {
    const failure = await failureOf((command, args, stdio) => {
      occupyThreads();
      return spawn(command, args, { stdio });
    });
    expect(failure).to.have.property("code", "ENOENT");
  });
});
