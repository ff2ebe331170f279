import { expect } from "chai";
import { copyRoomRules } from "../../../src/core/push/copy-room-rules.ts";
import type { PushRule, PushRuleset } from "../../../src/core/push/ruleset.ts";

const rule = (rule_id: string, more: Partial<PushRule> = {}): PushRule => ({
  rule_id,
  default: false,
  enabled: true,
  actions: ["notify"],
  ...more,
});

const about = (pattern: string) => ({
  conditions: [{ kind: "event_match", key: "room_id", pattern }],
});

const ruleset = (rules: Partial<PushRuleset>): PushRuleset => ({
  override: [],
  content: [],
  postcontent: [],
  room: [],
  sender: [],
  underride: [],
  ...rules,
});

describe("copyRoomRules", () => {
  it("puts each copy right behind its original, as it is", () => {
    const muted = rule("!a:x", { actions: [], enabled: false });
    const made = copyRoomRules(
      ruleset({
        room: [rule("!c:x"), muted, rule("!d:x")],
        underride: [rule("mine", about("!a:x")), rule("a !a:x", about("!a:x"))],
      }),
      "!a:x",
      "!b",
    );
    expect(made?.room).to.deep.equal([
      rule("!c:x"),
      muted,
      { ...muted, rule_id: "!b" },
      rule("!d:x"),
    ]);
    expect(made?.underride).to.deep.equal([
      rule("mine", about("!a:x")),
      rule("mine !b", about("!b")),
      rule("a !a:x", about("!a:x")),
      rule("a !b", about("!b")),
    ]);
  });

  it("leaves alone what is there already, what is predefined and what is about other rooms", () => {
    const rules = ruleset({
      room: [rule("!a:x"), rule("!b", { actions: [] })],
      override: [
        rule(".m.rule.x", { default: true, ...about("!a:x") }),
        rule("o", about("!c:x")),
        rule("!a:x"),
      ],
      content: [rule("!a:x", { pattern: "!a:x" })],
    });
    expect(copyRoomRules(rules, "!a:x", "!b")).to.equal(undefined);
  });
});
