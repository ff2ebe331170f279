import { expect } from "chai";
import { EphemeralRing } from "../../src/storage/ephemeral-ring.ts";

describe("EphemeralRing", () => {
  const hint = (mark: number, room: number) => ({
    mark,
    rooms: [room],
    users: [],
  });

  it("knows what was between two marks once all of it has been heard", () => {
    const ring = new EphemeralRing(10);
    ring.add(hint(11, 1));
    ring.add(hint(13, 3));
    expect(ring.between(10, 11)).to.deep.equal([hint(11, 1)]);
    expect(ring.between(10, 13), "12 has not been heard").to.equal(undefined);
    ring.add(hint(12, 2));
    expect(ring.between(10, 13)).to.have.length(3);
    expect(ring.between(12, 13)).to.deep.equal([hint(13, 3)]);
    expect(ring.between(13, 13)).to.deep.equal([]);
  });

  it("knows nothing for certain where a hint came in parts", () => {
    const ring = new EphemeralRing(10);
    ring.add({ ...hint(11, 1), isPart: true });
    ring.add(hint(12, 1));
    expect(ring.between(10, 12)).to.equal(undefined);
    expect(ring.between(11, 12)).to.have.length(1);
  });

  it("knows nothing of what was before it, nor of what is beyond its mark", () => {
    const ring = new EphemeralRing(10);
    ring.add(hint(11, 1));
    expect(ring.between(9, 11)).to.equal(undefined);
    expect(ring.between(11, 12)).to.equal(undefined);
  });

  it("forgets the oldest", () => {
    const ring = new EphemeralRing(0);
    for (let mark = 1; mark <= 1500; mark += 1) ring.add(hint(mark, 1));
    expect(ring.between(400, 1500)).to.equal(undefined);
    expect(ring.between(500, 1500)).to.have.length(1000);
  });
});
