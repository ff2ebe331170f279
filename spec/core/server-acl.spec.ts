import { expect } from "chai";
import type { JsonObject } from "../../src/core/json.ts";
import { isServerAllowed, parseServerAcl } from "../../src/core/server-acl.ts";

const allows = (content: JsonObject, server: string) =>
  isServerAllowed(parseServerAcl(content), server);

describe("isServerAllowed", () => {
  it("allows everyone where there is no ACL", () => {
    expect(isServerAllowed(undefined, "evil.com")).to.equal(true);
  });

  it("allows nobody without an allow list", () => {
    for (const allow of [undefined, null, [], "*", {}, [1, null, ["*"]]]) {
      const content = (allow === undefined ? {} : { allow }) as JsonObject;
      expect(allows(content, "good.com")).to.equal(false);
    }
  });

  it("lets deny win over allow", () => {
    const content = { allow: ["*"], deny: ["*.evil.com", "evil.com"] };
    expect(allows(content, "good.com")).to.equal(true);
    expect(allows(content, "evil.com")).to.equal(false);
    expect(allows(content, "a.evil.com")).to.equal(false);
    expect(allows(content, "notevil.com")).to.equal(true);
  });

  it("ignores ports and case", () => {
    const content = { allow: ["*"], deny: ["EVIL.com"] };
    for (const name of ["evil.com", "evil.com:8448", "Evil.COM:1"]) {
      expect(allows(content, name), name).to.equal(false);
    }
    expect(allows({ allow: ["evil.com:8448"] }, "evil.com:8448")).to.equal(
      false,
    );
  });

  it("denies IP literals where they are not allowed", () => {
    const literals = ["1.2.3.4", "1.2.3.4:80", "[::1]", "[::1]:80"];
    for (const name of literals) {
      expect(allows({ allow: ["*"], allow_ip_literals: false }, name)).to.equal(
        false,
      );
      expect(allows({ allow: ["*"], allow_ip_literals: true }, name)).to.equal(
        true,
      );
      expect(
        allows({ allow: ["*"], allow_ip_literals: "false" }, name),
      ).to.equal(true);
      expect(allows({ allow: ["*"] }, name)).to.equal(true);
    }
    expect(
      allows({ allow: ["*"], allow_ip_literals: false }, "1.2.3.4.com"),
    ).to.equal(true);
    expect(allows({ allow: ["[::?]", "1.2.*"] }, "[::1]:80")).to.equal(true);
  });

  it("denies what is no server name", () => {
    for (const name of ["", "a b", "*", "a\n"]) {
      expect(allows({ allow: ["*"] }, name)).to.equal(false);
    }
  });

  it("CVE-2023-45129 row 48: reads a name a few times for each pattern, however many stars they have", () => {
    // 64 KiB of patterns, each of which nearly matches: tried out one by one, they never end.
    const deny = Array.from(
      { length: 280 },
      (_, i) => `${"*?*a".repeat(57)}*${i % 10}`,
    );
    const acl = parseServerAcl({ allow: ["*"], deny });
    expect(acl.deny).to.have.length(280);
    const name = `${"a".repeat(240)}.example`;
    for (let i = 0; i < 100; i += 1)
      expect(isServerAllowed(acl, name)).to.equal(true);
    expect(isServerAllowed(acl, `${"a".repeat(240)}.7`)).to.equal(false);
  });

  it("CVE-2023-45129: drops patterns that no name is long enough for", () => {
    const acl = parseServerAcl({
      allow: ["*?".repeat(32_000), "*"],
      deny: ["?".repeat(256)],
    });
    expect(acl.allow).to.have.length(1);
    expect(acl.deny).to.have.length(0);
    expect(isServerAllowed(acl, "good.com")).to.equal(true);
  });
});
