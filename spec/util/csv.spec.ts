import { expect } from "chai";
import { CsvFault, readCsv } from "../../src/util/csv.ts";

const fields = (text: string) => readCsv(text).map((record) => record.fields);

describe("readCsv", () => {
  it("reads fields and records, whatever ends their lines", () => {
    expect(fields("a,b\r\nc,d\ne,f")).to.deep.equal([
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
    ]);
    expect(fields("a\n")).to.deep.equal([["a"]]);
    expect(fields("\uFEFFa,\n")).to.deep.equal([["a", ""]]);
    expect(fields("a,")).to.deep.equal([["a", ""]]);
    expect(fields("")).to.deep.equal([]);
  });

  it("reads what stands in quotes, with commas, line ends and quotes in it", () => {
    expect(fields('"a,b","c""d","e\nf"\n"",g')).to.deep.equal([
      ["a,b", 'c"d', "e\nf"],
      ["", "g"],
    ]);
  });

  it("names the line at which each record begins, and passes over empty ones", () => {
    const records = readCsv('a\n\n"b\nc"\nd\n');
    expect(records.map(({ line }) => line)).to.deep.equal([1, 3, 5]);
  });

  it("names the line of a quote that is not closed, or stands within a field", () => {
    for (const [text, line] of [
      ['a\n"b\nc', 2],
      ['a\nb"c', 2],
      ['"a"b', 1],
    ] as const)
      expect(() => readCsv(text))
        .to.throw(CsvFault)
        .with.property("line", line);
  });
});
