import { expect } from "chai";
import { dueBy, isExtendable } from "../../src/core/privacy-law.ts";

const at = (text: string): number => Date.parse(`${text}T10:20:30.400Z`);
const dayOf = (ts: number): string => new Date(ts).toISOString();

describe("by when a privacy request is due", () => {
  const of = (...question: Parameters<typeof dueBy>) =>
    dayOf(dueBy(...question));

  it("G10: counts calendar months by the GDPR, to the last day where there is no such day", () => {
    const time = "T10:20:30.400Z";
    expect(of("gdpr", at("2027-05-15"))).to.equal(`2027-06-15${time}`);
    expect(of("gdpr", at("2027-01-31"))).to.equal(`2027-02-28${time}`);
    expect(of("gdpr", at("2028-01-31"))).to.equal(`2028-02-29${time}`);
    expect(of("gdpr", at("2027-12-31"))).to.equal(`2028-01-31${time}`);
    expect(of("gdpr", at("2027-11-30"), true)).to.equal(`2028-02-29${time}`);
  });

  it("G10: counts days by the others", () => {
    const from = at("2027-01-31");
    const days = (ts: number) => (ts - from) / (24 * 3_600_000);
    expect(days(dueBy("ccpa", from))).to.equal(45);
    expect(days(dueBy("ccpa", from, true))).to.equal(90);
    expect(days(dueBy("pipl", from))).to.equal(30);
    expect(days(dueBy("none", from))).to.equal(30);
    expect(
      ["none", "gdpr", "ccpa", "pipl"].map((law) =>
        isExtendable(law as "none"),
      ),
    ).to.deep.equal([false, true, true, false]);
  });
});
