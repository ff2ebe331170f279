import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { expect } from "chai";
import {
  createPasswordHasher,
  type PasswordHasher,
} from "../../src/workers/password-hasher.ts";

describe("createPasswordHasher", () => {
  let hasher: PasswordHasher;
  beforeEach(() => {
    hasher = createPasswordHasher(2);
  });
  afterEach(() => hasher.close());

  /** The niceness of each thread of this process, as Linux tells it. */
  const listNices = () =>
    readdirSync("/proc/self/task").map((task) => {
      const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
    });

  it("makes argon2id of 19 MiB and two passes, each with a salt of its own", async () => {
    const hashes = await Promise.all([hasher.hash("x"), hasher.hash("x")]);
    for (const hash of hashes)
      expect(hash).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hashes[0]).not.to.equal(hashes[1]);
    expect(await hasher.verify(hashes[0]!, "x")).to.equal(true);
    expect(await hasher.verify(hashes[0]!, "y")).to.equal(false);
  });

  it("answers all that is asked at once, each its own", async () => {
    const hash = await hasher.hash("right");
    const texts = Array.from({ length: 9 }, (_, i) =>
      i % 3 === 0 ? "right" : "wrong",
    );
    expect(
      await Promise.all(texts.map((text) => hasher.verify(hash, text))),
    ).to.deep.equal(texts.map((text) => text === "right"));
  });

  it("fails for what is no hash, and goes on", async () => {
    const failure = await hasher.verify("no hash", "x").catch(String);
    expect(failure).to.be.a("string");
    expect(await hasher.hash("x")).to.be.a("string");
  });

  it("hashes in threads that wait for all others, and leaves the others as they are", async function () {
    if (process.platform !== "linux") this.skip();
    const before = listNices().filter((nice) => nice === 10).length;
    await Promise.all([hasher.hash("a"), hasher.hash("b"), hasher.hash("c")]);
    const nices = listNices();
    expect(nices.filter((nice) => nice === 10).length - before).to.equal(2);
    expect(nices.filter((nice) => nice === 0).length).to.be.above(3);
  });

  it("comes to an end also where nothing on the machine ever idles", async () => {
    const spinning = Array.from(
      { length: availableParallelism() },
      () => new Worker("for (;;);", { eval: true }),
    );
    try {
      for (let i = 0; i < 10; i += 1) await hasher.hash("x");
    } finally {
      await Promise.all(spinning.map((worker) => worker.terminate()));
    }
  });

  it("lets nobody wait for it when it is closed", async () => {
    const results = Promise.allSettled(
      Array.from({ length: 5 }, () => hasher.hash("x")),
    );
    await hasher.close();
    expect((await results).map(({ status }) => status)).to.include("rejected");
    const late = await hasher.hash("x").catch(() => "refused");
    expect(late).to.equal("refused");
  });
});
