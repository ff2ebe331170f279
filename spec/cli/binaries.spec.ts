import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { findBinaries } from "../../src/cli/postgres/binaries.ts";
import { StartError } from "../../src/cli/start-error.ts";
import { testProgram } from "./program.ts";

describe("findBinaries", () => {
  it("finds programs whose libraries have all their names", async () => {
    const folder = join(await mkdtemp(join(tmpdir(), "myelin-bin-")), "lib");
    const found = await findBinaries(testProgram(), folder);
    expect(existsSync(found.postgres)).to.equal(true);
    expect(existsSync(found.initdb)).to.equal(true);
    const libraries = join(dirname(found.postgres), "..", "lib");
    if (process.platform === "linux") {
      const link = join(libraries, "libicuuc.so.60");
      expect(lstatSync(link).isSymbolicLink()).to.equal(true);
      expect(readlinkSync(link)).to.not.match(/^\//);
      expect(existsSync(realpathSync(link))).to.equal(true);
    }
    await rm(dirname(folder), { recursive: true });
  });

  it("says what to do where there is no PostgreSQL for the machine", async () => {
    const program = testProgram({ platform: "plan9", architecture: "vax" });
    const refusal = await findBinaries(program, "/nowhere").catch(
      (error: unknown) => error,
    );
    expect(refusal).to.be.instanceOf(StartError);
    expect(String(refusal)).to.include("database.url");
  });
});
