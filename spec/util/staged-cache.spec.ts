import { expect } from "chai";
import { StagedCache } from "../../src/util/staged-cache.ts";

describe("StagedCache", () => {
  const cacheOf = (limit: number) =>
    new StagedCache<number, number>(limit, () => 1);
  const fill = (cache: StagedCache<number, number>, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => cache.set(from + i, from + i));
  const held = (cache: StagedCache<number, number>, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => cache.get(from + i)).filter(
      (value) => value !== undefined,
    );

  it("holds everything while there is room", () => {
    const cache = cacheOf(100);
    fill(cache, 0, 100);
    expect(held(cache, 0, 100)).to.have.length(100);
  });

  it("is bounded by the weight of what it holds", () => {
    const cache = new StagedCache<number, number>(100, (weight) => weight);
    for (let i = 0; i < 1000; i++) {
      cache.set(i, (i % 7) + 1);
      if (i % 3 === 0) cache.get(i - 5);
    }
    const total = held(cache, 0, 1000).reduce((sum, weight) => sum + weight, 0);
    expect(total).to.be.within(80, 100);
    expect(cache.size).to.equal(held(cache, 0, 1000).length);
    cache.set(1, 101);
    expect(cache.get(1)).to.equal(undefined);
  });

  it("keeps what was asked for from a long read of what is asked for once", () => {
    const cache = cacheOf(100);
    fill(cache, 0, 50);
    held(cache, 0, 50);
    fill(cache, 1000, 5000);
    expect(held(cache, 0, 50)).to.have.length(50);
  });

  it("lets go of what is not asked for any more", () => {
    const cache = cacheOf(100);
    fill(cache, 0, 75);
    held(cache, 0, 75);
    for (let i = 1000; i < 1200; i++) {
      cache.set(i, i);
      cache.get(i);
    }
    expect(held(cache, 0, 75)).to.have.length(0);
    expect(held(cache, 1100, 1200)).to.have.length(100);
  });

  it("holds the last value of a key, and counts it once", () => {
    const cache = cacheOf(10);
    for (let i = 0; i < 100; i++) cache.set(1, i);
    fill(cache, 2, 4);
    expect(cache.get(1)).to.equal(99);
    expect(cache.size).to.equal(3);
  });
});
