import { expect } from "chai";
import { pickSize } from "../../src/core/thumbnail.ts";

describe("pickSize", () => {
  const pick = (width: number, height: number) => {
    const size = pickSize({ width, height });
    return `${size.width}x${size.height}`;
  };

  it("takes the smallest size of the specification that is large enough", () => {
    expect(pick(1, 1)).to.equal("32x32");
    expect(pick(32, 32)).to.equal("32x32");
    expect(pick(33, 1)).to.equal("96x96");
    expect(pick(97, 96)).to.equal("320x240");
    expect(pick(1, 241)).to.equal("640x480");
    expect(pick(700, 500)).to.equal("800x600");
  });

  it("takes the largest where none is, whatever is asked for", () => {
    expect(pick(801, 601)).to.equal("800x600");
    expect(pick(Number.MAX_SAFE_INTEGER, 1)).to.equal("800x600");
  });
});
