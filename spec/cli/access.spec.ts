import {
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readAccess, writeAccess } from "../../src/cli/postgres/access.ts";
import { StartError } from "../../src/cli/start-error.ts";

describe("readAccess", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "myelin-access-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("finds what was written, which nobody else may read", async () => {
    const file = join(folder, "postgres.json");
    const access = await readAccess(file);
    await writeAccess(file, access);
    expect(await readAccess(file)).to.deep.equal(access);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(["postgres.json"]);
  });

  it("names a file that is damaged", async () => {
    const file = join(folder, "postgres.json");
    writeFileSync(file, "");
    const refusal = await readAccess(file).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(StartError);
    expect(String(refusal)).to.include(`${file}, which holds`);
  });
});
