import { expect } from "chai";
import fc from "fast-check";
import { RequiredState } from "../../../../src/domain/sync/sliding/required-state.ts";

const ME = "@me:test";
const name = fc.constantFrom("a", "b", "*");
const pairs = fc.array(fc.tuple(name, name), { maxLength: 6 });
const PLACES = ["a", "b", "c"].flatMap((type) =>
  ["a", "b", "c"].map((key) => [type, key] as const),
);
const parse = (list: readonly (readonly [string, string])[]) =>
  RequiredState.parse(list, ME);

describe("RequiredState", () => {
  it("matches what one of its pairs matches", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const required = parse(list);
        for (const [type, key] of PLACES) {
          const isWanted = list.some(
            ([t, k]) => (t === "*" || t === type) && (k === "*" || k === key),
          );
          expect(required.matches(type, key)).to.equal(isWanted);
        }
      }),
    );
  });

  it("has one text for all ways to say the same", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const required = parse(list);
        expect(parse(list.toReversed()).text).to.equal(required.text);
        expect(parse(required.entries).text).to.equal(required.text);
        expect(RequiredState.read(required.text).text).to.equal(required.text);
      }),
    );
  });

  it("joins two, and tells what one asks for beyond the other", () => {
    fc.assert(
      fc.property(pairs, pairs, (one, two) => {
        const [a, b] = [parse(one), parse(two)];
        const both = a.with(b);
        const beyond = parse(b.beyond(a));
        for (const [type, key] of PLACES) {
          const isInA = a.matches(type, key);
          const isInB = b.matches(type, key);
          expect(both.matches(type, key)).to.equal(isInA || isInB);
          if (isInB && !isInA) expect(beyond.matches(type, key)).to.equal(true);
          if (!isInB) expect(beyond.matches(type, key)).to.equal(false);
        }
        expect(both.beyond(both)).to.deep.equal([]);
      }),
    );
  });

  it("understands $ME and $LAZY", () => {
    const required = parse([
      ["m.room.member", "$LAZY"],
      ["m.room.member", "$ME"],
      ["x", "$LAZY"],
    ]);
    expect(required.isLazy).to.equal(true);
    expect(required.matches("m.room.member", ME)).to.equal(true);
    expect(required.matches("m.room.member", "$LAZY")).to.equal(false);
    expect(required.matches("x", "$LAZY")).to.equal(true);
  });

  it("knows what was told until it changes unseen", () => {
    const told = parse([
      ["a", ""],
      ["b", ""],
    ]);
    const now = parse([["a", ""]]);
    const known = (changed: [string, string][]) =>
      RequiredState.known(told, now, changed).text;
    expect(known([])).to.equal(told.text);
    expect(known([["a", ""]])).to.equal(told.text);
    expect(known([["b", ""]])).to.equal(now.text);
  });
});
