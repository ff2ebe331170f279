import { execFileSync, spawnSync } from "node:child_process";
import { expect } from "chai";

/** The same program where leaving the class "idle" is a privilege that it has not. */
const UNPRIVILEGED = [
  "setpriv",
  "--bounding-set=-sys_nice",
  "--inh-caps=-sys_nice",
];

const PROGRAM = `
  import { execFileSync } from "node:child_process";
  import * as classes from ${JSON.stringify(
    new URL("../../src/workers/thread-class.js", import.meta.url),
  )};
  const ask = () => execFileSync("chrt", ["-p", String(process.pid)]).toString();
  const told = [];
  // What it waits for is of nobody's concern else.
  const alive = setInterval(() => undefined, 1000);
  await classes.yieldToAll(process.pid);
  told.push(ask());
  await classes.takeShare(process.pid);
  told.push(ask());
  clearInterval(alive);
  console.log(JSON.stringify(told));
`;

function policiesOf(before: readonly string[] = []): string[] {
  const [command = "", ...options] = [
    ...before,
    ...[process.execPath, "--input-type=module", "-e", PROGRAM],
  ];
  const told = JSON.parse(
    execFileSync(command, options, { encoding: "utf8" }),
  ) as string[];
  return told.map((text) => /SCHED_\w+/.exec(text)?.[0] ?? text);
}

const OTHER = "SCHED_OTHER";
const succeeds = (command: readonly string[]) => {
  const [program = "", ...options] = command;
  return spawnSync(program, options, { stdio: "ignore" }).status === 0;
};
const comesBack = (before: readonly string[] = []) =>
  succeeds([...before, ...["chrt", "-i", "0"], ...["chrt", "-o", "0", "true"]]);

describe("the class of a thread", () => {
  before(function () {
    if (!succeeds(["chrt", "-p", String(process.pid)])) this.skip();
  });

  it("is “idle” until it takes its share, where it can come back", () => {
    const idle = comesBack() ? "SCHED_IDLE" : OTHER;
    expect(policiesOf()).to.deep.equal([idle, OTHER]);
  });

  it("stays as it is where it could not come back", () => {
    const before = process.getuid?.() === 0 ? UNPRIVILEGED : [];
    expect(comesBack(before)).to.equal(false);
    expect(policiesOf(before)).to.deep.equal([OTHER, OTHER]);
  });
});
