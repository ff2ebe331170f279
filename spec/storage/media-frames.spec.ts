import { randomBytes } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import {
  blobKeyOf,
  openFrames,
  sealedPart,
  sealFrames,
} from "../../src/storage/media-frames.ts";
import { BlobDamaged } from "../../src/util/blob-store.ts";
import { collect, failureOf, inChunks } from "../support/collect.ts";

const FRAME = 64 * 1024;
const SEALED = FRAME + 16;
const key = randomBytes(32);

const seal = (bytes: Uint8Array, chunk = 10_000, under = key) =>
  collect(sealFrames(under, inChunks(bytes, chunk)));

/** As a download does: only the sealed bytes of the part are there. */
function openPart(
  sealed: Buffer,
  size: number,
  start = 0,
  end = size,
  under = key,
): Promise<Buffer> {
  const part = sealedPart(size, start, end);
  const bytes = sealed.subarray(part.start, part.start + part.length);
  return collect(
    openFrames(under, { size, start, end }, inChunks(bytes, 7_777)),
  );
}

const SIZES = [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 5];

describe("sealed frames", () => {
  it("open to what was sealed, in any part", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SIZES),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 200_000 }),
        async (size, a, b, chunk) => {
          const file = randomBytes(size);
          const sealed = await seal(file, chunk);
          const [start = 0, end = size] = [
            Math.floor(a * size),
            Math.floor(b * size),
          ].toSorted((x, y) => x - y);
          const opened = await openPart(sealed, size, start, end);
          expect(opened.equals(file.subarray(start, end))).to.equal(true);
          expect((await openPart(sealed, size)).equals(file)).to.equal(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("read no more of a large file than the frames of the part", () => {
    const part = sealedPart(1000 * FRAME, 5 * FRAME + 1, 5 * FRAME + 2);
    expect(part).to.deep.equal({ first: 5, start: 5 * SEALED, length: SEALED });
  });

  const size = 3 * FRAME + 5;
  const file = randomBytes(size);
  let sealed: Buffer;
  before(async () => {
    sealed = await seal(file);
  });
  const frame = (n: number) => sealed.subarray(n * SEALED, (n + 1) * SEALED);

  async function expectDamage(
    bytes: Buffer,
    ofSize = size,
    start = 0,
    end = ofSize,
  ) {
    const failure = await failureOf(openPart(bytes, ofSize, start, end));
    expect(failure).to.be.instanceOf(BlobDamaged);
  }

  it("are found out where a bit was changed, in any frame and in a tag", async () => {
    for (const at of [
      0,
      FRAME + 3,
      SEALED,
      2 * SEALED - 1,
      sealed.length - 1,
    ]) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      await expectDamage(changed);
    }
  });

  it("are found out where they were put in another order, or twice", async () => {
    await expectDamage(Buffer.concat([frame(1), frame(0), frame(2), frame(3)]));
    await expectDamage(Buffer.concat([frame(0), frame(0), frame(2), frame(3)]));
  });

  it("are found out where the end is missing, whatever size is told", async () => {
    await expectDamage(sealed.subarray(0, 3 * SEALED));
    await expectDamage(sealed.subarray(0, 3 * SEALED), 3 * FRAME);
    await expectDamage(sealed.subarray(0, SEALED), FRAME);
    await expectDamage(sealed.subarray(0, sealed.length - 1));
  });

  it("are found out where the last one stands before others", async () => {
    const short = await seal(file.subarray(0, FRAME));
    await expectDamage(Buffer.concat([short, frame(1), frame(2), frame(3)]));
  });

  it("are found out where they are of another file, or of another key", async () => {
    const other = await seal(randomBytes(size), 10_000, randomBytes(32));
    const mixed = Buffer.from(sealed);
    other.copy(mixed, SEALED, SEALED, 2 * SEALED);
    await expectDamage(mixed);
    // The part before it is still what it was.
    const start = await openPart(mixed, size, 0, FRAME);
    expect(start.equals(file.subarray(0, FRAME))).to.equal(true);
    expect(
      await failureOf(openPart(sealed, size, 0, size, randomBytes(32))),
    ).to.be.instanceOf(BlobDamaged);
  });

  it("have a key of their own for each blob of a secret", () => {
    const secret = randomBytes(32);
    const keys = [blobKeyOf(secret, "a"), blobKeyOf(secret, "b"), secret];
    expect(new Set(keys.map((each) => each.toString("hex"))).size).to.equal(3);
  });
});
