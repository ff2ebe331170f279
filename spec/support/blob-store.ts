import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { BlobDamaged, type BlobStore } from "../../src/util/blob-store.ts";
import { collect, failureOf, inChunks } from "./collect.ts";

export const newName = (): string => randomBytes(20).toString("hex");

/** What any store has to do. */
export function itIsAStore(storeNow: () => BlobStore): void {
  const put = async (bytes: Uint8Array, chunk = 100_000): Promise<string> => {
    const name = newName();
    await storeNow().put(name, inChunks(bytes, chunk));
    return name;
  };

  for (const size of [0, 1, 70_000, 20 * 1024 * 1024])
    it(`gives ${size} bytes back, whole and in parts`, async () => {
      const bytes = randomBytes(size);
      const name = await put(bytes);
      const read = (start: number, length: number) =>
        collect(storeNow().read(name, start, length));
      expect((await read(0, size)).equals(bytes)).to.equal(true);
      const half = Math.floor(size / 2);
      const part = await read(half, Math.min(10, size - half));
      expect(part.equals(bytes.subarray(half, half + 10))).to.equal(true);
    });

  it("shows nothing of what was not finished", async () => {
    const name = newName();
    async function* broken() {
      yield randomBytes(9 * 1024 * 1024);
      throw new Error("the client is gone");
    }
    const failure = await failureOf(storeNow().put(name, broken()));
    expect(failure).to.have.property("message", "the client is gone");
    expect(
      await failureOf(collect(storeNow().read(name, 0, 1))),
    ).to.be.instanceOf(BlobDamaged);
  });

  it("fails where a blob is missing, or shorter than it was", async () => {
    const missing = collect(storeNow().read(newName(), 0, 1));
    expect(await failureOf(missing)).to.be.instanceOf(BlobDamaged);
    const name = await put(randomBytes(10));
    const longer = collect(storeNow().read(name, 0, 11));
    expect(await failureOf(longer)).to.be.instanceOf(BlobDamaged);
  });

  it("removes blobs, and takes the absence of one for its removal", async () => {
    const name = await put(randomBytes(10));
    await storeNow().remove(name);
    await storeNow().remove(name);
    const gone = collect(storeNow().read(name, 0, 1));
    expect(await failureOf(gone)).to.be.instanceOf(BlobDamaged);
  });

  it("lets go of a blob that is not read to its end", async () => {
    const name = await put(randomBytes(2_000_000));
    for await (const chunk of storeNow().read(name, 0, 2_000_000)) {
      expect(chunk.length).to.be.above(0);
      break;
    }
    await storeNow().remove(name);
  });
}
