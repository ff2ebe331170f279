import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

const FOLDER = join("spec", "core", "state", "reference");
const IMPORT = /^import (type )?[^"]*"([^"]+)"/gm;

describe("the reference of state resolution", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".ts"));

  it("is there", () => expect(files.length).to.be.above(3));

  for (const file of files) {
    it(`${file} runs none of the code that it judges, but for the form of state keys`, () => {
      const text = readFileSync(join(FOLDER, file), "utf8");
      const run = [...text.matchAll(IMPORT)]
        .filter(([, isType]) => isType === undefined)
        .map(([, , target = ""]) => target)
        .filter((target) => !/^(node:crypto|\.\/[a-z0-9]+\.ts)$/.test(target));
      const allowed = "../../../../src/core/state/state-map.ts";
      expect(run.filter((target) => target !== allowed)).to.deep.equal([]);
    });
  }
});
