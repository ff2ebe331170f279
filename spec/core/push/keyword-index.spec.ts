import { expect } from "chai";
import fc from "fast-check";
import { matchesGlobInWords } from "../../../src/core/glob.ts";
import { KeywordIndex } from "../../../src/core/push/keyword-index.ts";

const joined = (a: readonly string[], b: readonly string[]) => [...a, ...b];

const indexOf = (patterns: readonly string[]) =>
  new KeywordIndex(
    new Map(patterns.map((pattern) => [pattern, [pattern]])),
    joined,
  );

describe("KeywordIndex", () => {
  it("finds what each pattern alone would match", () => {
    const unit = fc.constantFrom(
      ...["a", "B", "_", "1", " ", "-", "é", "*", "?", "😀", "K", "İ", "ß"],
    );
    const text = fc.string({ unit, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.uniqueArray(text, { maxLength: 8 }),
        text,
        (patterns, body) => {
          const expected = patterns.filter((pattern) =>
            matchesGlobInWords(pattern, body),
          );
          const found = indexOf(patterns).find(body).flat();
          expect(found).to.have.members(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("looks words up: ten thousand of them cost a text of 64 KiB no more than one", () => {
    const words = Array.from({ length: 10_000 }, (_, i) => `word${i}`);
    const index = indexOf(words);
    const body = "word7 ".repeat(10_000);
    const begun = performance.now();
    for (let i = 0; i < 20; i += 1)
      expect(index.find(body).flat()).to.deep.equal(["word7"]);
    expect((performance.now() - begun) / 20).to.be.below(50);
  });
});
