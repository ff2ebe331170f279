import { expect } from "chai";
import { parseOptions, UsageError } from "../../bench/options.ts";
import { dealRooms } from "../../bench/scenarios/sends.ts";
import { segmentsOf } from "../../bench/scenarios/storage.ts";

describe("options of the bench", () => {
  it("starts a server of ours and measures everything where nothing is said", () => {
    const options = parseOptions([]);
    expect(options.targets).to.deep.equal([]);
    expect(options.scenarios).to.include.members(["B1", "B16"]);
    expect(options.processes).to.equal(1);
  });

  it("takes several addresses, and lists in ascending order", () => {
    const options = parseOptions([
      ...["--target", "http://a", "--target", "http://b"],
      ...["--members", "300,10", "--pids", "7,8", "--scenario", "B2"],
    ]);
    expect(options.targets).to.deep.equal(["http://a", "http://b"]);
    expect(options.members).to.deep.equal([10, 300]);
    expect(options.pids).to.deep.equal([7, 8]);
    expect(options.scenarios).to.deep.equal(["B2"]);
  });

  it("measures less in CI, unless told to", () => {
    const { rooms, size } = parseOptions(["--ci", "--size", "400"]);
    expect(Math.max(...rooms)).to.be.below(Math.max(...parseOptions([]).rooms));
    expect(size).to.equal(400);
  });

  for (const args of [
    ["--scenario", "B99"],
    ["--seconds", "soon"],
    ["--processes", "0"],
    ["--members", "1"],
    ["--sealing", "maybe"],
    ["--database", "postgres://x"],
    ["--unknown"],
    ["stray"],
  ])
    it(`refuses ${args.join(" ")}`, () => {
      expect(() => parseOptions(args)).to.throw(UsageError);
    });
});

describe("plans of load", () => {
  it("gives every sender a room and every room a sender", () => {
    expect(dealRooms(4, 2)).to.deep.equal([[0], [1], [0], [1]]);
    expect(dealRooms(2, 4)).to.deep.equal([
      [0, 2],
      [1, 3],
    ]);
    expect(dealRooms(1, 3)).to.deep.equal([[0, 1, 2]]);
  });

  it("measures joins around the 100th and before the last", () => {
    expect(segmentsOf(99)).to.deep.equal([99]);
    expect(segmentsOf(299)).to.deep.equal([50, 150, 199, 299]);
    expect(segmentsOf(9_999)).to.deep.equal([50, 150, 9_899, 9_999]);
  });
});
