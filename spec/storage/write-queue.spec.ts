import { expect } from "chai";
import { StorageUnavailable } from "../../src/storage/storage-unavailable.ts";
import type { Write } from "../../src/storage/write.ts";
import { listClaims, WriteQueue } from "../../src/storage/write-queue.ts";
import type { Entry } from "../../src/storage/write-queue.ts";

const entry = (claims: string[] = [], bytes = 1): Entry => ({
  write: { positions: 1 },
  bytes,
  claims,
  resolve: () => undefined,
  reject: () => undefined,
});

describe("WriteQueue", () => {
  it("keeps writes with a claim in common apart and in order", () => {
    const queue = new WriteQueue();
    const entries = [["a"], ["a", "b"], ["b"], ["c"]].map((c) => entry(c));
    for (const one of entries) queue.push(one);
    const first = queue.takeBatch();
    // The third waits for the second, though nothing that runs claims "b".
    expect(first).to.deep.equal([entries[0], entries[3]]);
    expect(queue.takeBatch()).to.deep.equal([]);
    queue.release(first);
    const second = queue.takeBatch();
    expect(second).to.deep.equal([entries[1]]);
    queue.release(second);
    expect(queue.takeBatch()).to.deep.equal([entries[2]]);
    expect(queue.length).to.equal(0);
  });

  it("makes batches of at most 512 writes and 8 MB, but of one at least", () => {
    const queue = new WriteQueue();
    for (let i = 0; i < 600; i += 1) queue.push(entry());
    expect(queue.takeBatch()).to.have.length(512);
    expect(queue.takeBatch()).to.have.length(88);
    const large = [3, 4, 3, 20, 1].map((mb) => entry([], mb * 2 ** 20));
    for (const one of large) queue.push(one);
    expect(queue.takeBatch()).to.deep.equal(large.slice(0, 2));
    expect(queue.takeBatch()).to.deep.equal(large.slice(2, 3));
    expect(queue.takeBatch()).to.deep.equal(large.slice(3, 4));
  });

  it("refuses more than it should hold", () => {
    const queue = new WriteQueue();
    for (let i = 0; i < 5000; i += 1) queue.push(entry());
    expect(() => queue.push(entry())).to.throw(StorageUnavailable);
  });
});

describe("listClaims", () => {
  const key = Buffer.from("k");

  it("names rooms, keys, users and aliases", () => {
    const write: Write = {
      positions: 1,
      idempotency: [{ key, answer: "" }],
      rooms: [{ roomNid: 7, stateVersion: 0, cited: [], left: [] }],
      rows: {
        newAliases: [{ alias: "#a:b", roomNid: 7, creator: "", createdTs: 0 }],
      },
    };
    expect(listClaims(write)).to.deep.equal([
      "room 7",
      `key ${key.toString("base64")}`,
      "alias #a:b",
    ]);
  });

  it("refuses a write that uses a key twice", () => {
    const twice = { key, answer: "" };
    expect(() =>
      listClaims({ positions: 1, idempotency: [twice, twice] }),
    ).to.throw(TypeError);
  });
});
