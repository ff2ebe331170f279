import { expect } from "chai";
import { defaultPushRules } from "../../../src/core/push/default-rules.ts";
import {
  setPushRule,
  setPushRuleActions,
  setPushRuleEnabled,
} from "../../../src/core/push/edit.ts";
import type { PushRuleset } from "../../../src/core/push/ruleset.ts";
import { describePushModes } from "../../../src/domain/push/push-mode.ts";

describe("describePushModes", () => {
  const alice = "@alice:test";
  const rules = defaultPushRules(alice);
  const modes = (ruleset: PushRuleset) => describePushModes(ruleset, alice);
  const highlight = { set_tweak: "highlight" };
  const override = (conditions: object[]) =>
    setPushRule(rules, "override", "own", {
      conditions: conditions as never,
      actions: [],
    });

  it("needs nothing for the default rules, whatever their sounds", () => {
    expect(modes(rules)).to.deep.equal([]);
    const sound = ["notify", { set_tweak: "sound", value: "other" }];
    const louder = setPushRuleActions(
      rules,
      "underride",
      ".m.rule.message",
      sound,
    );
    expect(modes(louder)).to.deep.equal([]);
  });

  it("needs nothing for pushes of all encrypted events (MSC4028)", () => {
    const rule = ".org.matrix.msc4028.encrypted_event";
    const pushed = setPushRuleEnabled(rules, "override", rule, true);
    expect(modes(pushed)).to.deep.equal([]);
  });

  it("needs rows everywhere where a default rule has another effect", () => {
    const everywhere = [{ roomId: "", mode: "rows" }];
    const rule = ".m.rule.message";
    for (const actions of [[], ["notify", highlight]]) {
      const changed = setPushRuleActions(rules, "underride", rule, actions);
      expect(modes(changed)).to.deep.equal(everywhere);
    }
    const off = setPushRuleEnabled(rules, "underride", rule, false);
    expect(modes(off)).to.deep.equal(everywhere);
    const master = setPushRuleEnabled(
      rules,
      "override",
      ".m.rule.master",
      true,
    );
    expect(modes(master)).to.deep.equal(everywhere);
  });

  it("needs keywords for patterns that notify, rows for those that silence", () => {
    const body = { pattern: "cake", actions: ["notify", highlight] };
    const keyword = setPushRule(rules, "content", "cake", body);
    expect(modes(keyword)).to.deep.equal([{ roomId: "", mode: "keywords" }]);
    const silent = setPushRule(keyword, "content", "pie", {
      pattern: "pie",
      actions: [],
    });
    expect(modes(silent)).to.deep.equal([{ roomId: "", mode: "rows" }]);
  });

  it("needs rows in the one room that a rule names", () => {
    const room = setPushRule(rules, "room", "!a:test", { actions: [] });
    expect(modes(room)).to.deep.equal([{ roomId: "!a:test", mode: "rows" }]);
    const match = { kind: "event_match", key: "room_id", pattern: "!b:test" };
    expect(modes(override([match, { kind: "other" }]))).to.deep.equal([
      { roomId: "!b:test", mode: "rows" },
    ]);
  });

  it("needs rows everywhere where a rule may match in any room", () => {
    const everywhere = [{ roomId: "", mode: "rows" }];
    const any = { kind: "event_match", key: "room_id", pattern: "!*:test" };
    expect(modes(override([any]))).to.deep.equal(everywhere);
    expect(modes(override([]))).to.deep.equal(everywhere);
    const sender = setPushRule(rules, "sender", "@bob:test", { actions: [] });
    expect(modes(sender)).to.deep.equal(everywhere);
  });

  it("needs nothing for rules that are switched off", () => {
    const off = setPushRuleEnabled(
      setPushRule(rules, "sender", "@bob:test", { actions: [] }),
      "sender",
      "@bob:test",
      false,
    );
    expect(modes(off)).to.deep.equal([]);
  });
});
