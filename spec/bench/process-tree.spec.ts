import { expect } from "chai";
import {
  listTree,
  parseStat,
  sumTicks,
} from "../../bench/measure/process-tree.ts";
import { readCpuSeconds, readMemory } from "../../bench/measure/proc.ts";

const process_ = (pid: number, parent: number, ticks: number) => ({
  pid,
  parent,
  name: "node",
  ticks,
});

describe("process tree", () => {
  it("adds a process's own time to that of the children it has waited for", () => {
    const fields = "S 7 40 40 0 -1 4194560 1 2 3 4 100 20 3 0.5 20 0 11 0";
    expect(parseStat(`42 (a (b) c) ${fields}`)).to.deep.equal({
      pid: 42,
      parent: 7,
      name: "a (b) c",
      ticks: 123.5,
    });
  });

  it("holds all descendants and nobody else", () => {
    const processes = [
      process_(1, 0, 1_000),
      process_(10, 1, 1),
      process_(12, 11, 4),
      process_(11, 10, 2),
      process_(20, 1, 500),
    ];
    const tree = listTree(processes, [10]);
    expect(tree.map(({ pid }) => pid)).to.have.members([10, 11, 12]);
    expect(sumTicks(tree)).to.equal(7);
  });

  it("counts a root below another root once, and one that is gone not at all", () => {
    const processes = [process_(10, 1, 1), process_(11, 10, 2)];
    expect(sumTicks(listTree(processes, [10, 11, 99]))).to.equal(3);
  });

  it("reads this process", function () {
    if (process.platform !== "linux") this.skip();
    expect(readCpuSeconds([process.pid])).to.be.above(0);
    const { residentBytes } = readMemory(process.pid);
    expect(residentBytes).to.be.above(1_000_000);
  });
});
