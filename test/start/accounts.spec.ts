import { chownSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useFolder, waitForStatus } from "./myelin.ts";

const isRoot = process.getuid?.() === 0;
/** `nobody`, an account without rights. */
const NOBODY = 65_534;

describe("myelin serve started by root", function () {
  this.timeout(60_000);
  before(function () {
    if (!isRoot) this.skip();
  });

  describe("in a folder closed to others, as /root is", () => {
    const place = useFolder(0o700);

    it("runs PostgreSQL as another account", async () => {
      const run = place.start();
      await waitForStatus(`${await run.ready()}/health/ready`, 200);
      const { uid } = statSync(join(place.folder, "data", "postgres"));
      expect(uid).to.be.above(0);
      expect(await run.stop()).to.equal(0);
    });
  });
});

describe("myelin serve started by an ordinary user", function () {
  this.timeout(60_000);
  const place = useFolder();

  it("runs PostgreSQL as that user", async () => {
    const uid = isRoot ? NOBODY : process.getuid!();
    chownSync(place.folder, uid, uid);
    const run = place.start({ uid });
    await waitForStatus(`${await run.ready()}/health/ready`, 200);
    const { uid: owner } = statSync(join(place.folder, "data", "postgres"));
    expect(owner).to.equal(uid);
    expect(await run.stop()).to.equal(0);
  });
});
