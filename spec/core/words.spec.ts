import { expect } from "chai";
import {
  foldText,
  listWords,
  parseWordQuery,
  rankText,
} from "../../src/core/words.ts";

const finds = (text: string, term: string): boolean =>
  rankText(text, parseWordQuery(term)) > 0;

describe("words", () => {
  it("are the same in any case and in any compatible form", () => {
    expect(listWords("Straße STRASSE strasse")).to.deep.equal(["strasse"]);
    expect(listWords("ﬁle ＦＩＬＥ file")).to.deep.equal(["file"]);
    expect(listWords("ΣΊΣΥΦΟΣ σίσυφος")).to.have.length(1);
    expect(foldText("e\u0301")).to.equal(foldText("É"));
  });

  it("end at spaces and signs", () => {
    expect(listWords("Re: foo_bar, (baz)-qux! 3.14")).to.deep.equal([
      ...["re", "foo_bar", "baz", "qux", "3", "14"],
    ]);
    expect(listWords(" …!? 👍 ")).to.deep.equal([]);
  });

  it("are pairs of signs where no spaces are written", () => {
    expect(listWords("会议室A棟")).to.deep.equal(["会议", "议室", "a", "棟"]);
    expect(finds("明天在会议室开会", "会议室")).to.equal(true);
    expect(finds("会议 在 议室", "会议室")).to.equal(false);
    expect(finds("明天开会", "会")).to.equal(true);
    expect(finds("ミーティングは三時", "ティング")).to.equal(true);
    expect(finds("ประชุมพรุ่งนี้", "พรุ่งนี้")).to.equal(true);
  });

  it("are no more than is allowed, and no longer", () => {
    const text = Array.from({ length: 1_000 }, (_, i) => `w${i}`).join(" ");
    expect(listWords(text, 500)).to.have.length(500);
    expect(listWords("x".repeat(70_000))[0]).to.have.length(64);
    expect(finds("y".repeat(200), "y".repeat(200))).to.equal(true);
  });

  it("have all to be there, whatever their order", () => {
    expect(finds("the quick brown fox", "FOX quick")).to.equal(true);
    expect(finds("the quick brown fox", "quick cat")).to.equal(false);
    expect(finds("the quick brown fox", "quic")).to.equal(false);
    expect(finds("anything", "")).to.equal(false);
    expect(finds("anything", "%")).to.equal(false);
  });

  it("rank a text higher that says little else", () => {
    const query = parseWordQuery("badger");
    const rank = (text: string) => rankText(text, query);
    expect(rank("badger badger")).to.be.above(rank("badger"));
    expect(rank("badger")).to.be.above(rank("a badger among many other words"));
    expect(rank("badger ".repeat(5_000))).to.be.at.most(1);
  });

  it("take time by the length of a text alone", () => {
    const started = performance.now();
    for (const text of ["a", "_", "会", "́", "a b", "\ud800"])
      listWords(text.repeat(65_536));
    expect(performance.now() - started).to.be.below(5_000);
  });
});
