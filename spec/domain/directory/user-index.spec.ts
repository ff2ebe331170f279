import { expect } from "chai";
import {
  beginningsIn,
  UserIndex,
} from "../../../src/domain/directory/user-index.ts";

describe("the index of users", () => {
  const find = (index: UserIndex, term: string, most = 10) =>
    index.find(beginningsIn(term), most);

  function indexOf(names: Record<string, string[]>): UserIndex {
    const index = new UserIndex();
    for (const [userId, texts] of Object.entries(names))
      index.set(userId, texts);
    return index;
  }

  it("finds by the beginnings of words, whatever their case and order", () => {
    const index = indexOf({
      "@jsmith:test": ["Jane Smith", "jsmith"],
      "@jane.doe:test": ["Jane Doe", "jane.doe"],
      "@smithers:test": ["Waylon", "smithers"],
    });
    expect(find(index, "JANE")).to.have.members([
      "@jsmith:test",
      "@jane.doe:test",
    ]);
    expect(find(index, "smi ja")).to.deep.equal(["@jsmith:test"]);
    expect(find(index, "smith")).to.deep.equal([
      "@jsmith:test",
      "@smithers:test",
    ]);
    expect(find(index, "doe")).to.deep.equal(["@jane.doe:test"]);
    expect(find(index, "mith")).to.deep.equal([]);
    expect(find(index, "")).to.deep.equal([]);
    expect(find(index, "%")).to.deep.equal([]);
  });

  it("finds within names that are written without spaces", () => {
    const index = indexOf({ "@wang:test": ["王小明", "wang"] });
    for (const term of ["王", "小明", "明", "王小明"])
      expect(find(index, term), term).to.deep.equal(["@wang:test"]);
    expect(find(index, "小王")).to.deep.equal([]);
  });

  it("holds what was said last of somebody, and forgets", () => {
    const index = indexOf({ "@a:test": ["Old Name", "a"] });
    index.set("@a:test", ["New Name", "a"]);
    expect(find(index, "old")).to.deep.equal([]);
    expect(find(index, "new")).to.deep.equal(["@a:test"]);
    index.delete("@a:test");
    expect(find(index, "new")).to.deep.equal([]);
    expect(index.size).to.equal(0);
  });

  it("says the same before and after its entries were sorted in", () => {
    const index = new UserIndex();
    for (let i = 0; i < 2_000; i += 1)
      index.set(`@u${i}:test`, [`Person Number${i}`, `u${i}`]);
    for (let i = 0; i < 2_000; i += 2)
      index.set(`@u${i}:test`, [`Somebody Else${i}`, `u${i}`]);
    expect(find(index, "number1999")).to.deep.equal(["@u1999:test"]);
    expect(find(index, "number1998")).to.deep.equal([]);
    expect(find(index, "else1998")).to.deep.equal(["@u1998:test"]);
    expect(find(index, "person", 5_000)).to.have.length(1_000);
    expect(find(index, "person", 7)).to.have.length(7);
  });

  it("finds one among 100,000 in no time", () => {
    const index = new UserIndex();
    for (let i = 0; i < 100_000; i += 1)
      index.set(`@user${i}:test`, [`First${i % 977} Last${i}`, `user${i}`]);
    find(index, "last99999");
    const started = performance.now();
    for (let i = 0; i < 100; i += 1)
      expect(find(index, `first${i} last`)).to.have.length(10);
    expect(performance.now() - started).to.be.below(5_000);
  }).timeout(30_000);
});
