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

  it("finds all who wait for one word in different cases", () => {
    const found = indexOf(["Cake", "cake", "CAKE", "cak", "c?ke"]).find(
      "cake!",
    );
    expect(found.flat()).to.have.members(["Cake", "cake", "CAKE", "c?ke"]);
  });
});
