import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { useFolder } from "./myelin.ts";

interface Said {
  action: string;
  after: Record<string, unknown>;
}

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
    const log = place.start({ arguments: ["audit", "export"] });
    expect(await log.ended, log.stderr).to.equal(0);
    const rotations = log.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { record?: string })
      .flatMap(({ record }) =>
        record === undefined ? [] : (JSON.parse(record) as Said),
      )
      .filter(({ action }) => action === "settings.keys.rotate");
    expect(rotations.map(({ after }) => after)).to.containSubset([
      { begun: true, destroys: false },
      { epoch: 2, retired: [1], destroyed: false },
      { begun: true, destroys: true },
      { epoch: 3, retired: [2], destroyed: true },
    ]);
    const keys = readdirSync(join(place.folder, "data", "keys"));
    expect(keys).to.include("master-3").and.not.include("master-2");
    expect(await run.stop()).to.equal(0);
    const again = place.start();
    await again.ready();
    expect(await again.stop()).to.equal(0);
  });
});
