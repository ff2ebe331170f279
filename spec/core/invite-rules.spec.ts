import { expect } from "chai";
import { blocksAllInvites, judgeInvite } from "../../src/core/invite-rules.ts";
import type { JsonObject } from "../../src/core/json.ts";

const SENDER = "@mallory:evil.example";
const judge = (content: JsonObject) => judgeInvite(content, SENDER);

describe("invite rules", () => {
  it("allow where nothing is said, and where what is said is nothing", () => {
    for (const content of [
      {},
      { blocked_users: null, ignored_servers: null },
      { blocked_users: SENDER },
      { blocked_users: [7, null, {}] },
      { blocked_servers: { "evil.example": true } },
      { enabled: false, blocked_users: ["*"] },
    ])
      expect(judge(content as JsonObject)).to.equal("allow");
  });

  it("know users and servers by globs", () => {
    expect(judge({ blocked_users: [SENDER] })).to.equal("block");
    expect(judge({ blocked_users: ["@mal*:*.example"] })).to.equal("block");
    expect(judge({ ignored_users: ["@m?llory:*"] })).to.equal("ignore");
    expect(judge({ blocked_servers: ["evil.*"] })).to.equal("block");
    expect(judge({ ignored_servers: ["*.example"] })).to.equal("ignore");
    expect(judge({ blocked_servers: ["good.example"] })).to.equal("allow");
    expect(judge({ blocked_users: ["mallory"] })).to.equal("allow");
  });

  it("ask for users before servers, and allow before they ignore before they block", () => {
    const all = [SENDER];
    const servers = ["evil.example"];
    expect(
      judge({ allowed_users: all, ignored_users: all, blocked_users: all }),
    ).to.equal("allow");
    expect(judge({ ignored_users: all, blocked_users: all })).to.equal(
      "ignore",
    );
    expect(judge({ blocked_users: all, allowed_servers: servers })).to.equal(
      "block",
    );
    expect(judge({ allowed_users: all, blocked_servers: servers })).to.equal(
      "allow",
    );
    expect(
      judge({ ignored_servers: servers, blocked_servers: servers }),
    ).to.equal("ignore");
  });

  it("block everybody by one word alone", () => {
    expect(blocksAllInvites({ default_action: "block" })).to.equal(true);
    expect(blocksAllInvites({ default_action: "allow" })).to.equal(false);
    expect(blocksAllInvites({})).to.equal(false);
  });

  it("C10 row 48: need no time for globs of stars", () => {
    const stars = Array.from(
      { length: 500 },
      (_, i) => `@${"*a".repeat(50)}${i}`,
    );
    const started = performance.now();
    judgeInvite({ blocked_users: stars }, `@${"a".repeat(200)}:test`);
    expect(performance.now() - started).to.be.below(1_000);
  });
});
