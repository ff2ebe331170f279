import { readFileSync } from "node:fs";
import { expect } from "chai";
import { parseOptions, UsageError } from "../../bench/options.ts";
import { withoutSuite } from "../../bench/run-suite.ts";
import { SUITES } from "../../bench/suites.ts";
import { dealRooms } from "../../bench/scenarios/sends.ts";
import { upTo } from "../../bench/load/in-parallel.ts";
import { planJoins } from "../../bench/scenarios/joins.ts";

describe("options of the bench", () => {
  it("starts a server of ours and measures everything where nothing is said", () => {
    const options = parseOptions([]);
    expect(options.targets).to.deep.equal([]);
    expect(options.scenarios).to.include.members(["B1-sends", "B16-rooms"]);
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

  it("takes one of several scenarios of a number, or all of them", () => {
    const scenariosOf = (names: string) =>
      parseOptions(["--scenario", names]).scenarios;
    expect(scenariosOf("B15-joins")).to.deep.equal(["B15-joins"]);
    expect(scenariosOf("B15")).to.deep.equal(["B15-messages", "B15-joins"]);
    expect(scenariosOf("B1")).to.deep.equal(["B1-sends", "B1-snapshot"]);
    expect(scenariosOf("B5")).to.deep.equal(["B5-warm", "B5-cold"]);
  });

  it("understands every part of every suite", () => {
    for (const parts of SUITES.values())
      for (const { args } of parts)
        expect(parseOptions(args).targets).to.deep.equal([]);
  });

  it("finds every part of the suite of bars told of", () => {
    const readme = readFileSync("bench/README.md", "utf8");
    for (const { name, args } of SUITES.get("bars") ?? [])
      expect(readme).to.match(
        new RegExp(`\\| \`${name}\` +\\| \`${args.join(" ")}\` +\\|`),
      );
  });

  it("lets what is said to a suite hold for its parts, and the rest not", () => {
    const args = [
      "--suite",
      "bars",
      "--seconds",
      "1",
      "--out=x",
      "--part",
      "a",
    ];
    expect(withoutSuite(args)).to.deep.equal(["--seconds", "1"]);
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
    ["--pair", "night,day"],
    ["--pair", "sealing", "--target", "http://a"],
    ["--media-store", "cloud"],
    ["--media-store", "s3", "--target", "http://a"],
    ["--suite", "all"],
    ["--unknown"],
    ["stray"],
  ])
    it(`refuses ${args.join(" ")}`, () => {
      expect(() => parseOptions(args)).to.throw(UsageError);
    });
});

describe("plans of load", () => {
  it("gives every sender a room and every room a sender", () => {
    expect(dealRooms(4, 2)).to.deep.equal([[0], [1], [1], [0]]);
    expect(dealRooms(2, 4)).to.deep.equal([
      [0, 2],
      [1, 3],
    ]);
    expect(dealRooms(1, 3)).to.deep.equal([[0, 1, 2]]);
  });

  it("has each of several rooms written through both of two processes", () => {
    const plan = dealRooms(64, 8);
    for (const room of upTo(8)) {
      const senders = upTo(64).filter((sender) => plan[sender]![0] === room);
      expect(senders.filter((sender) => sender % 2 === 0)).to.have.length(4);
      expect(senders).to.have.length(8);
    }
  });

  it("measures joins around the 100th, the 1,000th and the last", () => {
    expect(planJoins(10_000, 3)).to.deep.equal([
      { size: 100, rooms: 3, joined: 50, window: 100 },
      { size: 1_000, rooms: 3, joined: 950, window: 100 },
      { size: 10_000, rooms: 1, joined: 9_699, window: 100 },
    ]);
  });

  it("has accounts enough for every join, and some that are not measured", () => {
    for (const size of [10, 100, 200, 300, 1_000, 2_500, 2_501, 5_000])
      for (const rounds of [1, 3, 5])
        for (const plan of planJoins(size, rounds)) {
          const turns = plan.rooms === 1 ? rounds : 1;
          expect(plan.joined).to.be.above(0);
          expect(Number.isInteger(plan.joined)).to.equal(true);
          expect(plan.window).to.be.above(0);
          expect(plan.joined + plan.window * turns).to.be.below(size);
        }
  });
});
