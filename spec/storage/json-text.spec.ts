import { expect } from "chai";
import fc from "fast-check";
import { escapeText, unescapeText } from "../../src/storage/json-text.ts";

describe("escapeText", () => {
  it("makes any string storable, and is undone by unescapeText", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const stored = escapeText(text);
        expect(stored).to.not.include("\0");
        expect(unescapeText(stored)).to.equal(text);
      }),
    );
    expect(unescapeText(escapeText('\ud800\0"'))).to.equal('\ud800\0"');
  });

  it("leaves ordinary names as they are", () => {
    expect(escapeText("m.room.member")).to.equal("m.room.member");
    expect(escapeText("@zoë:test")).to.equal("@zoë:test");
  });
});
