import { expect } from "chai";
import fc from "fast-check";
import { ByteReader } from "../../src/util/byte-reader.ts";

async function* chunksOf(parts: readonly Uint8Array[]) {
  yield* parts;
}

describe("ByteReader", () => {
  it("gives the same bytes in any pieces, whatever they came in", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }),
        fc.array(fc.nat(15), { maxLength: 20 }),
        async (parts, lengths) => {
          const whole = Buffer.concat(parts);
          const reader = new ByteReader(chunksOf(parts));
          let at = 0;
          for (const length of lengths) {
            const piece = await reader.read(length);
            if (at + length > whole.length) {
              expect(piece).to.equal(undefined);
              return;
            }
            expect(Buffer.from(piece!)).to.deep.equal(
              whole.subarray(at, at + length),
            );
            at += length;
          }
        },
      ),
    );
  });

  it("lets go of its source", async () => {
    let isClosed = false;
    async function* source() {
      try {
        yield Buffer.from("abc");
        yield Buffer.from("def");
      } finally {
        isClosed = true;
      }
    }
    const reader = new ByteReader(source());
    await reader.read(1);
    await reader.close();
    expect(isClosed).to.equal(true);
  });
});
