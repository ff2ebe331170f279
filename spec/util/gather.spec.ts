import { expect } from "chai";
import { gather } from "../../src/util/gather.ts";

describe("gather", () => {
  it("asks once for all keys of one turn, and again in the next", async () => {
    const asked: string[][] = [];
    const find = gather(async (keys: readonly string[]) => {
      asked.push([...keys]);
      return new Map(keys.map((key) => [key, key.toUpperCase()]));
    });
    expect(await Promise.all([find("a"), find("b"), find("a")])).to.deep.equal([
      "A",
      "B",
      "A",
    ]);
    expect(await find("a")).to.equal("A");
    expect(asked).to.deep.equal([["a", "b"], ["a"]]);
  });

  it("answers undefined for what is not found, and fails for all where asking fails", async () => {
    const find = gather(async () => new Map<string, string>());
    expect(await find("a")).to.equal(undefined);
    const failing = gather(() => Promise.reject<Map<string, string>>("no"));
    const results = await Promise.allSettled([failing("a"), failing("b")]);
    expect(results.map(({ status }) => status)).to.deep.equal([
      "rejected",
      "rejected",
    ]);
  });
});
