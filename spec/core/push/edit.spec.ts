import { expect } from "chai";
import { MatrixError } from "../../../src/core/errors.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import {
  defaultPushRules,
  withDefaultRules,
} from "../../../src/core/push/default-rules.ts";
import {
  deletePushRule,
  getPushRule,
  setPushRule,
  setPushRuleActions,
  setPushRuleEnabled,
  type PushRulePlace,
} from "../../../src/core/push/edit.ts";
import {
  isPushRuleKind,
  type PushRuleKind,
  type PushRuleset,
} from "../../../src/core/push/ruleset.ts";
import { alice } from "../room-builder.ts";

const defaults = defaultPushRules(alice);
const quiet: JsonObject = { actions: [], conditions: [], pattern: "x" };

const put = (
  ruleset: PushRuleset,
  id: string,
  place?: PushRulePlace,
  kind: PushRuleKind = "content",
) => setPushRule(ruleset, kind, id, quiet, place);

const ids = (ruleset: PushRuleset, kind: PushRuleKind = "content") =>
  ruleset[kind].map(({ rule_id }) => rule_id);

const expectError = (act: () => unknown, errcode: string) => {
  expect(act).to.throw(MatrixError).with.property("errcode", errcode);
};

describe("defaultPushRules", () => {
  it("are those of the specification, in its order, with the polls' rules", () => {
    expect(ids(defaults, "override")).to.deep.equal([
      ".m.rule.master",
      ".org.matrix.msc4028.encrypted_event",
      ".m.rule.suppress_notices",
      ".m.rule.invite_for_me",
      ".m.rule.member_event",
      ".m.rule.is_user_mention",
      ".m.rule.is_room_mention",
      ".m.rule.tombstone",
      ".m.rule.reaction",
      ".m.rule.room.server_acl",
      ".m.rule.poll_response",
      ".org.matrix.msc3930.rule.poll_response",
      ".m.rule.suppress_edits",
    ]);
    expect(ids(defaults, "underride").slice(0, 9)).to.deep.equal([
      ".m.rule.call",
      ".m.rule.encrypted_room_one_to_one",
      ".m.rule.room_one_to_one",
      ".m.rule.message",
      ".m.rule.encrypted",
      ".m.rule.poll_start_one_to_one",
      ".m.rule.poll_start",
      ".m.rule.poll_end_one_to_one",
      ".m.rule.poll_end",
    ]);
    expect(ids(defaults, "postcontent")).to.deep.equal([
      ".io.element.msc4306.rule.unsubscribed_thread",
      ".io.element.msc4306.rule.subscribed_thread",
    ]);
    expect(defaults.content).to.deep.equal([]);
  });

  it("are enabled and marked as default, the master rule and those of MSC4028 and MSC4306 disabled", () => {
    const off = [
      ".m.rule.master",
      ".org.matrix.msc4028.encrypted_event",
      ...ids(defaults, "postcontent"),
    ];
    for (const rule of [
      ...defaults.override,
      ...defaults.postcontent,
      ...defaults.underride,
    ]) {
      expect(rule.default).to.equal(true);
      expect(rule.enabled).to.equal(!off.includes(rule.rule_id));
    }
  });
});

describe("withDefaultRules", () => {
  it("gives the default rules to those who have none", () => {
    expect(withDefaultRules({}, alice)).to.deep.equal(defaults);
  });

  it("keeps own rules in their place, and changes of default rules", () => {
    let rules = put(defaults, "mine", {}, "override");
    rules = setPushRuleEnabled(rules, "override", ".m.rule.reaction", false);
    rules = setPushRuleActions(rules, "underride", ".m.rule.message", []);
    expect(withDefaultRules(rules, alice)).to.deep.equal(rules);
  });

  it("drops stored default rules that are no more (MSC4210), adds new ones", () => {
    const legacy: PushRuleset = {
      ...defaults,
      override: defaults.override.slice(0, 3),
      content: [
        {
          rule_id: ".m.rule.contains_user_name",
          default: true,
          enabled: true,
          pattern: "alice",
          actions: ["notify"],
        },
      ],
    };
    expect(withDefaultRules(legacy, alice)).to.deep.equal(defaults);
  });
});

describe("isPushRuleKind", () => {
  it("knows the kinds of the specification", () => {
    expect(isPushRuleKind("underride")).to.equal(true);
    expect(isPushRuleKind("device")).to.equal(false);
  });
});

describe("setPushRule", () => {
  it("adds none between content and room rules: those are the server's (MSC4306)", () => {
    expectError(
      () => put(defaults, "mine", {}, "postcontent"),
      "M_INVALID_PARAM",
    );
  });

  it("adds the most important rule of the user's, enabled", () => {
    const rules = put(put(defaults, "one"), "two");
    expect(ids(rules)).to.deep.equal(["two", "one"]);
    expect(getPushRule(rules, "content", "two")).to.deep.equal({
      rule_id: "two",
      default: false,
      enabled: true,
      actions: [],
      pattern: "x",
    });
  });

  it("adds an override rule after the master rule and before the others", () => {
    const rules = put(defaults, "one", {}, "override");
    expect(ids(rules, "override").slice(0, 3)).to.deep.equal([
      ".m.rule.master",
      "one",
      ".org.matrix.msc4028.encrypted_event",
    ]);
  });

  it("leaves the ruleset that it was given alone", () => {
    put(defaults, "one");
    expect(defaults.content).to.deep.equal([]);
  });

  it("adds before or after a rule, before if both are named", () => {
    const rules = put(put(put(defaults, "c"), "b"), "a");
    expect(ids(put(rules, "x", { before: "b" }))).to.deep.equal([
      "a",
      "x",
      "b",
      "c",
    ]);
    expect(ids(put(rules, "x", { after: "b" }))).to.deep.equal([
      "a",
      "b",
      "x",
      "c",
    ]);
    expect(ids(put(rules, "x", { before: "c", after: "a" }))).to.deep.equal([
      "a",
      "b",
      "x",
      "c",
    ]);
  });

  it("replaces a rule where it is, and moves it where a place is named", () => {
    const rules = put(put(put(defaults, "c"), "b"), "a");
    expect(ids(put(rules, "b"))).to.deep.equal(["a", "b", "c"]);
    expect(ids(put(rules, "a", { after: "c" }))).to.deep.equal(["b", "c", "a"]);
  });

  it("leaves a replaced rule disabled", () => {
    const rules = setPushRuleEnabled(put(defaults, "a"), "content", "a", false);
    const again = put(rules, "a");
    expect(getPushRule(again, "content", "a").enabled).to.equal(false);
  });

  it("refuses a place by a rule that does not exist, is a default or the rule itself", () => {
    const rules = put(defaults, "a", {}, "override");
    for (const name of ["unknown", ".m.rule.master", "a"]) {
      expectError(
        () => put(rules, "a", { before: name }, "override"),
        "M_UNKNOWN",
      );
      expectError(
        () => put(rules, "a", { after: name }, "override"),
        "M_UNKNOWN",
      );
    }
  });

  it("refuses ids that are empty, reserved or hold slashes", () => {
    for (const id of ["", ".mine", ".m.rule.master", "a/b", "a\\b"]) {
      expectError(() => put(defaults, id), "M_INVALID_PARAM");
    }
  });

  it("takes ids of 300 bytes and patterns of 1,024, and none longer", () => {
    put(defaults, "é".repeat(150));
    expectError(() => put(defaults, "é".repeat(151)), "M_TOO_LARGE");
    const pattern = (length: number): JsonObject => ({
      actions: [],
      pattern: "x".repeat(length),
      conditions: [
        { kind: "event_match", key: "type", pattern: "x".repeat(length) },
      ],
    });
    for (const kind of ["content", "override"] as const) {
      setPushRule(defaults, kind, "a", pattern(1024));
      expectError(
        () => setPushRule(defaults, kind, "a", pattern(1025)),
        "M_TOO_LARGE",
      );
    }
  });

  it("takes no more than 10,000 rules of the user's, and still replaces one", () => {
    const own = Array.from({ length: 10_000 }, (_, index) => ({
      ...getPushRule(put(defaults, "a"), "content", "a"),
      rule_id: `r${index}`,
    }));
    const full = { ...defaults, content: own };
    expectError(() => put(full, "one more"), "M_TOO_LARGE");
    expect(put(full, "r5").content).to.have.length(10_000);
    const almost = { ...defaults, content: own.slice(1) };
    expect(put(almost, "one more").content).to.have.length(10_000);
  });

  it("refuses bodies that are no rule of the kind", () => {
    const cases: [PushRuleKind, JsonObject, string][] = [
      ["room", {}, "M_MISSING_PARAM"],
      ["room", { actions: "notify" }, "M_INVALID_PARAM"],
      ["room", { actions: ["explode"] }, "M_INVALID_PARAM"],
      ["room", { actions: [["notify"]] }, "M_INVALID_PARAM"],
      ["room", { actions: [{ set_tweak: 1 }] }, "M_INVALID_PARAM"],
      ["content", { actions: [] }, "M_MISSING_PARAM"],
      ["content", { actions: [], pattern: 1 }, "M_INVALID_PARAM"],
      ["override", { actions: [], conditions: {} }, "M_INVALID_PARAM"],
      ["override", { actions: [], conditions: [{}] }, "M_INVALID_PARAM"],
      ["underride", { actions: [], conditions: [null] }, "M_INVALID_PARAM"],
    ];
    for (const [kind, body, errcode] of cases) {
      expectError(() => setPushRule(defaults, kind, "a", body), errcode);
    }
  });

  it("keeps only what rules of the kind have", () => {
    const rules = setPushRule(defaults, "room", "!r:a.example", {
      ...quiet,
      actions: ["dont_notify"],
      extra: 1,
    });
    expect(rules.room).to.deep.equal([
      { rule_id: "!r:a.example", default: false, enabled: true, actions: [] },
    ]);
  });
});

describe("deletePushRule", () => {
  it("takes a user's rule away", () => {
    const rules = put(put(defaults, "a"), "b");
    expect(ids(deletePushRule(rules, "content", "a"))).to.deep.equal(["b"]);
  });

  it("finds no rule to delete among unknown and default ones", () => {
    for (const id of ["unknown", ".m.rule.reaction"]) {
      expectError(
        () => deletePushRule(defaults, "override", id),
        "M_NOT_FOUND",
      );
    }
  });
});

describe("setPushRuleEnabled and setPushRuleActions", () => {
  it("change own and default rules", () => {
    const rules = setPushRuleActions(
      setPushRuleEnabled(defaults, "override", ".m.rule.master", true),
      "override",
      ".m.rule.master",
      ["notify", "coalesce"],
    );
    expect(getPushRule(rules, "override", ".m.rule.master")).to.include({
      enabled: true,
      default: true,
    });
    expect(
      getPushRule(rules, "override", ".m.rule.master").actions,
    ).to.deep.equal(["notify"]);
  });

  it("find no rule that does not exist", () => {
    expectError(
      () => setPushRuleEnabled(defaults, "room", "a", true),
      "M_NOT_FOUND",
    );
    expectError(
      () => setPushRuleActions(defaults, "room", "a", []),
      "M_NOT_FOUND",
    );
  });

  it("refuse actions that are none", () => {
    expectError(
      () =>
        setPushRuleActions(defaults, "override", ".m.rule.master", undefined),
      "M_MISSING_PARAM",
    );
  });
});
