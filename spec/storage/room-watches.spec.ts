import { expect } from "chai";
import { RoomWatches } from "../../src/storage/room-watches.ts";

describe("RoomWatches", () => {
  it("lists who waits for a room, by whichever set", () => {
    const watches = new RoomWatches<string>();
    const rooms = new Set([1, 2]);
    watches.add(rooms, "a");
    watches.add(rooms, "b");
    watches.add(new Set([2, 3]), "c");
    expect([...watches.list(1)]).to.deep.equal(["a", "b"]);
    expect([...watches.list(2)]).to.deep.equal(["a", "b", "c"]);
    expect([...watches.list(4)]).to.deep.equal([]);
  });

  it("lists nobody who has ceased to wait, and lists them again when they are back", () => {
    const watches = new RoomWatches<string>();
    const rooms = new Set([1]);
    watches.add(rooms, "a");
    watches.remove(rooms, "a");
    expect([...watches.list(1)]).to.deep.equal([]);
    watches.add(rooms, "a");
    expect([...watches.list(1)]).to.deep.equal(["a"]);
  });

  it("does not touch the rooms again for who comes back with the same set", () => {
    const watches = new RoomWatches<string>();
    let walks = 0;
    class Counted extends Set<number> {
      override [Symbol.iterator](): SetIterator<number> {
        walks += 1;
        return super[Symbol.iterator]();
      }
    }
    const rooms = new Counted([1, 2, 3]);
    walks = 0;
    for (let i = 0; i < 10; i += 1) {
      watches.add(rooms, "a");
      watches.remove(rooms, "a");
    }
    expect(walks).to.equal(1);
  });

  it("forgets the sets that were idle longest when there are too many", () => {
    const watches = new RoomWatches<number>();
    const large = Array.from(
      { length: 3 },
      () => new Set(Array.from({ length: 100_000 }, (_, room) => room)),
    );
    for (const [i, rooms] of large.entries()) watches.add(rooms, i);
    expect([...watches.list(5)]).to.deep.equal([0, 1, 2]);
    for (const [i, rooms] of large.entries()) watches.remove(rooms, i);
    for (const [i, rooms] of large.entries()) watches.add(rooms, i);
    expect([...watches.list(5)].sort()).to.deep.equal([0, 1, 2]);
  });
});
