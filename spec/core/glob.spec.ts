import { expect } from "chai";
import fc from "fast-check";
import {
  compileGlob,
  matchesGlob,
  matchesGlobInWords,
  matchesUnits,
  matchesUnitsInWords,
} from "../../src/core/glob.ts";

const isWord = (character: string | undefined) =>
  character !== undefined && /^[A-Za-z0-9_]$/.test(character);

/** The definition, tried out: exponential, and right. */
function reference(pattern: string[], text: string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === "*") {
    return text
      .concat("")
      .some((_, index) => reference(rest, text.slice(index)));
  }
  return (
    text.length > 0 &&
    (first === "?" || first === text[0]) &&
    reference(rest, text.slice(1))
  );
}

function referenceInWords(pattern: string[], text: string[]): boolean {
  if (pattern.length === 0) return false;
  const isBoundary = (index: number) =>
    index === 0 ||
    index === text.length ||
    !isWord(text[index - 1]) ||
    !isWord(text[index]);
  for (let start = 0; start <= text.length; start++) {
    for (let end = start; end <= text.length; end++) {
      if (
        isBoundary(start) &&
        isBoundary(end) &&
        reference(pattern, text.slice(start, end))
      ) {
        return true;
      }
    }
  }
  return false;
}

const unit = fc.constantFrom("a", "b", " ", "😀", "é");
const patternUnit = fc.constantFrom("a", "b", "*", "?", " ", "😀");

describe("matchesGlob", () => {
  it("agrees with the definition", () => {
    fc.assert(
      fc.property(
        fc.array(patternUnit, { maxLength: 7 }),
        fc.array(unit, { maxLength: 8 }),
        (pattern, text) => {
          expect(matchesGlob(pattern.join(""), text.join(""))).to.equal(
            reference(pattern, text),
          );
        },
      ),
      { numRuns: 800 },
    );
  });

  it("agrees with the definition on segments longer than a machine word", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "?", "b"), {
          minLength: 30,
          maxLength: 70,
        }),
        fc.array(fc.constantFrom("a", "b"), { maxLength: 8 }),
        fc.nat(69),
        (segment, around, flip) => {
          const text = segment.map((part) => (part === "?" ? "a" : part));
          const pattern = ["*", ...segment, "*"];
          const whole = [...around, ...text, ...around];
          expect(matchesGlob(pattern.join(""), whole.join(""))).to.equal(true);
          whole[around.length + (flip % segment.length)] = "b";
          const oracle = whole.some((_, start) =>
            segment.every((part, index) =>
              part === "?"
                ? start + index < whole.length
                : part === whole[start + index],
            ),
          );
          expect(matchesGlob(pattern.join(""), whole.join(""))).to.equal(
            oracle,
          );
        },
      ),
    );
  });

  it("ignores case unless told otherwise, and knows no other signs", () => {
    expect(matchesGlob("lunc?*", "LUNCH plans")).to.equal(true);
    expect(matchesGlob("lunc?*", "LUNCH")).to.equal(true);
    expect(matchesGlob("lunc?*", " lunch")).to.equal(false);
    expect(matchesGlob("lunc?*", "lunc")).to.equal(false);
    expect(matchesGlob("[a-z]+.$^(|)\\", "[a-z]+.$^(|)\\")).to.equal(true);
    expect(matchesGlob("[a-z]", "b")).to.equal(false);
    expect(
      matchesGlob(compileGlob("A*", { ignoreCase: false }), "ab"),
    ).to.equal(false);
    const stars = compileGlob("a?*", { questionMark: false });
    expect(matchesGlob(stars, "a?b")).to.equal(true);
    expect(matchesGlob(stars, "axb")).to.equal(false);
  });
});

describe("matchesGlobInWords", () => {
  it("agrees with the definition", () => {
    fc.assert(
      fc.property(
        fc.array(patternUnit, { maxLength: 6 }),
        fc.array(unit, { maxLength: 8 }),
        (pattern, text) => {
          expect(matchesGlobInWords(pattern.join(""), text.join(""))).to.equal(
            referenceInWords(pattern, text),
          );
        },
      ),
      { numRuns: 800 },
    );
  });

  it("matches the specification's examples", () => {
    const pattern = "ex*ple";
    for (const body of [
      "An example event.",
      "exple",
      "An exciting triple-whammy",
    ]) {
      expect(matchesGlobInWords(pattern, body), body).to.equal(true);
    }
    for (const body of ["An examples event.", "bexple", "Unexample"]) {
      expect(matchesGlobInWords(pattern, body), body).to.equal(false);
    }
  });
});

/** A text that counts how often it is read. */
function counted(text: string): {
  units: ArrayLike<number>;
  reads: () => number;
} {
  let reads = 0;
  const units = Array.from(text, (character) => character.charCodeAt(0));
  const proxy = new Proxy(units, {
    get(target, key) {
      if (key === "length") return target.length;
      reads++;
      return target[Number(key)];
    },
  });
  return { units: proxy, reads: () => reads };
}

describe("globs against an adversary", () => {
  const length = 2_048;
  const texts = [
    "a".repeat(length),
    "ab".repeat(length / 2),
    "a b".repeat(length / 4),
  ];
  const patterns = [
    "*a".repeat(512) + "*b*c",
    "*" + "a".repeat(500) + "b*",
    "*b" + "a".repeat(500) + "*",
    "*" + "a?".repeat(250) + "c*",
    "*?".repeat(1_000) + "c",
    "?*".repeat(500) + "z?",
    "*" + "ab".repeat(200) + "c*" + "a".repeat(200) + "?c",
    "a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*c",
  ];

  it("C10 row 48 CVE-2021-29471: read each character a few times, whatever the pattern", () => {
    for (const pattern of patterns) {
      const glob = compileGlob(pattern);
      for (const text of texts) {
        for (const match of [matchesUnits, matchesUnitsInWords]) {
          const { units, reads } = counted(text);
          expect(match(glob, units)).to.equal(false);
          expect(
            reads(),
            `${pattern.slice(0, 20)} on ${text.slice(0, 5)}`,
          ).to.be.below(6 * length + pattern.length);
        }
      }
    }
  });
});
