import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useFolder } from "./myelin.ts";

describe("myelin keys rotate", function () {
  this.timeout(60_000);
  const place = useFolder();

  it("puts all keys under a new master key, removes the old one where it is told to, and serves on", async () => {
    const run = place.start();
    await run.ready();
    const command = (...rest: string[]) =>
      place.start({ arguments: ["keys", "rotate", ...rest] });
    const first = command();
    expect(await first.ended, first.stderr).to.equal(0);
    expect(first.stdout).to.include("of epoch 2").and.include("master-1");
    const second = command("--destroy");
    expect(await second.ended, second.stderr).to.equal(0);
    const keys = readdirSync(join(place.folder, "data", "keys"));
    expect(keys).to.include("master-3").and.not.include("master-2");
    expect(await run.stop()).to.equal(0);
    const again = place.start();
    await again.ready();
    expect(await again.stop()).to.equal(0);
  });
});
