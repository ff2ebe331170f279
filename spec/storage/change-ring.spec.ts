import { expect } from "chai";
import { ChangeRing } from "../../src/storage/change-ring.ts";

describe("ChangeRing", () => {
  const topics = (userId: string, ...rooms: number[]) => ({
    userId,
    roomNids: new Set(rooms),
  });

  it("answers whom the batches after a position touched", () => {
    const ring = new ChangeRing(10);
    ring.add({ to: 12, rooms: [1], users: ["@a:hs"] });
    ring.add({ to: 13, rooms: [1, 2], users: [] });
    ring.add({ to: 20, rooms: [3], users: ["@b:hs"] });
    expect(ring.changesSince(10)).to.deep.equal({
      roomNids: new Set([1, 2, 3]),
      userIds: new Set(["@a:hs", "@b:hs"]),
    });
    expect(ring.changesSince(12)!.roomNids).to.deep.equal(new Set([1, 2, 3]));
    expect(ring.changesSince(13)!.roomNids).to.deep.equal(new Set([3]));
    expect(ring.changesSince(20)!.roomNids.size).to.equal(0);
    expect(ring.changesSince(25)!.roomNids.size).to.equal(0);
    expect(ring.changesSince(9)).to.equal(undefined);
  });

  it("tells whether a batch concerns a user or a room", () => {
    const ring = new ChangeRing(0);
    ring.add({ to: 1, rooms: [1], users: ["@a:hs"] });
    ring.add({ to: 2, rooms: [2], users: [] });
    expect(ring.concerns(topics("@a:hs"), 0)).to.equal(true);
    expect(ring.concerns(topics("@a:hs"), 1)).to.equal(false);
    expect(ring.concerns(topics("@c:hs", 7, 2), 1)).to.equal(true);
    expect(ring.concerns(topics("@c:hs", 7), 0)).to.equal(false);
    expect(ring.concerns(topics("@c:hs"), -1), "forgotten").to.equal(true);
  });

  it("forgets the oldest over its bound of batches, and still finds the rest", () => {
    const ring = new ChangeRing(0, { batches: 100 });
    for (let to = 1; to <= 1000; to += 1)
      ring.add({ to, rooms: [to], users: [] });
    expect(ring.changesSince(899)).to.equal(undefined);
    for (let after = 900; after <= 1000; after += 1) {
      const { roomNids } = ring.changesSince(after)!;
      expect(roomNids.size).to.equal(1000 - after);
      expect(roomNids.has(after + 1)).to.equal(after < 1000);
    }
  });

  it("forgets by bytes too, and all of it on a reset", () => {
    const ring = new ChangeRing(0, { bytes: 10_000 });
    const rooms = Array.from({ length: 100 }, (_, i) => i);
    for (let to = 1; to <= 50; to += 1) ring.add({ to, rooms, users: [] });
    expect(ring.changesSince(30)).to.equal(undefined);
    expect(ring.changesSince(45)!.roomNids.size).to.equal(100);
    ring.reset(60);
    expect(ring.changesSince(59)).to.equal(undefined);
    expect(ring.changesSince(60)!.roomNids.size).to.equal(0);
  });
});
