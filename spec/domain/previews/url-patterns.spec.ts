import { expect } from "chai";
import {
  matchesUrlPattern,
  mayPreview,
} from "../../../src/domain/previews/url-patterns.ts";

const matches = (pattern: string, url: string): boolean =>
  matchesUrlPattern(pattern, new URL(url));

describe("patterns of addresses", () => {
  for (const [pattern, url] of [
    ["example.org", "https://example.org/a?b"],
    ["example.org", "http://EXAMPLE.org:8080/"],
    ["example.org", "https://example.org./"],
    ["Example.Org", "https://example.org/"],
    ["*.example.org", "https://a.b.example.org/"],
    ["*", "https://anything.test/"],
    ["https://*", "https://example.org/"],
    ["http*://example.org", "https://example.org/"],
    ["example.org:443", "https://example.org/"],
    ["example.org:80", "http://example.org/"],
    ["*:8*3", "https://example.org:8443/"],
    ["example.org/help/*", "https://example.org/help/page"],
    ["example.org/*?*secret=*", "https://example.org/x?a=1&secret=2"],
    ["[::1]", "http://[::1]/"],
    ["127.0.0.1", "http://0x7f.1/"],
  ] as const)
    it(`${pattern} is ${url}`, () => {
      expect(matches(pattern, url)).to.equal(true);
    });

  for (const [pattern, url] of [
    ["example.org", "https://www.example.org/"],
    ["example.org", "https://example.org.evil.test/"],
    ["*.example.org", "https://example.org/"],
    ["*.example.org", "https://evil-example.org/"],
    ["*.example.org", "https://evil.test/.example.org"],
    ["https://*", "http://example.org/"],
    ["example.org:443", "http://example.org/"],
    ["example.org/help/*", "https://example.org/"],
    ["", "https://example.org/"],
  ] as const)
    it(`${pattern} is not ${url}`, () => {
      expect(matches(pattern, url)).to.equal(false);
    });

  it("allow what none denies, and what one allows if any does", () => {
    const url = new URL("https://a.example.org/");
    const is = (allow: readonly string[], deny: readonly string[]) =>
      mayPreview({ allow, deny }, url);
    expect(is([], [])).to.equal(true);
    expect(is(["*.example.org"], [])).to.equal(true);
    expect(is(["other.test"], [])).to.equal(false);
    expect(is(["*"], ["a.*"])).to.equal(false);
  });

  it("C10 row 48: take time that grows with the length alone", () => {
    const url = new URL(`https://example.org/${"a".repeat(8_000)}`);
    const pattern = `*/${"*a".repeat(2_000)}*b`;
    expect(matchesUrlPattern(pattern, url)).to.equal(false);
  });
});
