import { expect } from "chai";
import { parseRange } from "../../src/http/byte-range.ts";

describe("parseRange", () => {
  const parse = (header: string, size = 100) => {
    const range = parseRange(header, size);
    return range && `${range.start}-${range.end}`;
  };

  it("reads a part, an end and a beginning", () => {
    expect(parse("bytes=0-0")).to.equal("0-1");
    expect(parse("bytes=10-19")).to.equal("10-20");
    expect(parse("bytes=90-")).to.equal("90-100");
    expect(parse("bytes=-10")).to.equal("90-100");
    expect(parse("Bytes=5-500")).to.equal("5-100");
    expect(parse("bytes=-500")).to.equal("0-100");
  });

  it("answers all where it is asked for several parts, or for no range", () => {
    for (const header of [
      ...["bytes=0-1,5-6", "items=0-1", "bytes=-", "bytes=5-4", "bytes=a-b"],
      ...["0-1", "bytes", "bytes=0x1-2", "bytes=1e3-"],
    ])
      expect(parse(header), header).to.equal(undefined);
  });

  it("refuses what the file does not have", () => {
    for (const header of ["bytes=100-", "bytes=100-200", "bytes=-0"])
      expect(() => parse(header), header)
        .to.throw()
        .that.includes({ status: 416 })
        .and.has.deep.property("headers", { "Content-Range": "bytes */100" });
    expect(() => parse("bytes=0-", 0))
      .to.throw()
      .that.includes({ status: 416 });
  });
});
