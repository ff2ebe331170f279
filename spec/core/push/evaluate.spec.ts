import { expect } from "chai";
import type { JsonObject } from "../../../src/core/json.ts";
import type { PushContext } from "../../../src/core/push/conditions.ts";
import { defaultPushRules } from "../../../src/core/push/default-rules.ts";
import {
  setPushRule,
  setPushRuleActions,
  setPushRuleEnabled,
} from "../../../src/core/push/edit.ts";
import { evaluatePushRules } from "../../../src/core/push/evaluate.ts";
import type { PushRuleset } from "../../../src/core/push/ruleset.ts";
import {
  asksForThreads,
  withThreadRules,
} from "../../../src/core/push/thread-rules.ts";
import { alice, bob, room, type Draft } from "../room-builder.ts";

const defaults = defaultPushRules(alice);
const sound = { set_tweak: "sound", value: "default" };
const highlight = { set_tweak: "highlight" };

const here = room("11").join(bob);

const evaluate = (
  draft: Partial<Draft>,
  context: Partial<PushContext> = {},
  ruleset: PushRuleset = defaults,
) =>
  evaluatePushRules(
    ruleset,
    here.draft({ type: "m.room.message", sender: bob, ...draft }),
    {
      userId: alice,
      memberCount: 10,
      senderPower: 0,
      notificationLevels: new Map(),
      ...context,
    },
  );

const nothing = { notify: false, highlight: false, actions: [] };

describe("evaluatePushRules with the default rules", () => {
  const text = (content: JsonObject = {}) => ({
    content: { msgtype: "m.text", body: "hello", ...content },
  });

  const cases: [
    name: string,
    draft: Partial<Draft>,
    expected: { highlight?: boolean; actions: unknown[] },
    context?: Partial<PushContext>,
  ][] = [
    ["a message", text(), { actions: ["notify"] }],
    [
      "a message of two",
      text(),
      { actions: ["notify", sound] },
      { memberCount: 2 },
    ],
    [
      "an encrypted message",
      { type: "m.room.encrypted" },
      { actions: ["notify"] },
    ],
    [
      "an encrypted message of two",
      { type: "m.room.encrypted" },
      { actions: ["notify", sound] },
      { memberCount: 2 },
    ],
    ["a notice", text({ msgtype: "m.notice" }), { actions: [] }],
    [
      "a call",
      { type: "m.call.invite" },
      { actions: ["notify", { set_tweak: "sound", value: "ring" }] },
    ],
    [
      "an invite for the user",
      {
        type: "m.room.member",
        stateKey: alice,
        content: { membership: "invite" },
      },
      { actions: ["notify", sound] },
    ],
    [
      "an invite for someone else",
      {
        type: "m.room.member",
        stateKey: bob,
        content: { membership: "invite" },
      },
      { actions: [] },
    ],
    [
      "a join",
      { type: "m.room.member", stateKey: bob, content: { membership: "join" } },
      { actions: [] },
    ],
    [
      "a mention of the user",
      text({ "m.mentions": { user_ids: [bob, alice] } }),
      { highlight: true, actions: ["notify", sound, highlight] },
    ],
    [
      "a mention of someone else",
      text({ "m.mentions": { user_ids: [bob] } }),
      { actions: ["notify"] },
    ],
    [
      "a mention of the room by someone who may",
      text({ "m.mentions": { room: true } }),
      { highlight: true, actions: ["notify", highlight] },
      { senderPower: 50 },
    ],
    [
      "a mention of the room by someone who may not",
      text({ "m.mentions": { room: true } }),
      { actions: ["notify"] },
    ],
    [
      "the user's name in the text",
      text({ body: alice }),
      { actions: ["notify"] },
    ],
    [
      "@room in the text",
      text({ body: "@room" }),
      { actions: ["notify"] },
      { senderPower: 100 },
    ],
    [
      "a tombstone",
      { type: "m.room.tombstone", stateKey: "" },
      { highlight: true, actions: ["notify", highlight] },
    ],
    [
      "a tombstone that is no state",
      { type: "m.room.tombstone" },
      { actions: [] },
    ],
    ["a reaction", { type: "m.reaction" }, { actions: [] }],
    [
      "a server ACL",
      { type: "m.room.server_acl", stateKey: "" },
      { actions: [] },
    ],
    [
      "an edit",
      text({ "m.relates_to": { rel_type: "m.replace", event_id: "$1" } }),
      { actions: [] },
    ],
    [
      "a reply in a thread that is not followed, by rules that are off",
      text({ "m.relates_to": { rel_type: "m.thread", event_id: "$1" } }),
      { actions: ["notify"] },
      { followsThread: false },
    ],
    ["a poll", { type: "m.poll.start" }, { actions: ["notify"] }],
    [
      "a poll of two",
      { type: "m.poll.start" },
      { actions: ["notify", sound] },
      { memberCount: 2 },
    ],
    ["the end of a poll", { type: "m.poll.end" }, { actions: ["notify"] }],
    [
      "a poll of today's clients",
      { type: "org.matrix.msc3381.poll.start" },
      { actions: ["notify"] },
    ],
    ["a poll's answer", { type: "m.poll.response" }, { actions: [] }],
    ["an event of another type", { type: "org.example.x" }, { actions: [] }],
  ];
  for (const [name, draft, { highlight = false, actions }, context] of cases) {
    it(`${actions.length > 0 ? "notifies" : "is silent"} for ${name}`, () => {
      const notify = actions.length > 0;
      expect(evaluate(draft, context)).to.deep.equal({
        notify,
        highlight,
        actions,
      });
    });
  }

  it("is silent for the user's own events", () => {
    expect(evaluate({ sender: alice, ...text() })).to.deep.equal(nothing);
  });

  it("is silent for everything once the master rule is enabled", () => {
    const muted = setPushRuleEnabled(
      defaults,
      "override",
      ".m.rule.master",
      true,
    );
    const mention = text({ "m.mentions": { user_ids: [alice] } });
    expect(evaluate(mention, {}, muted)).to.deep.equal(nothing);
  });

  describe("for threads (MSC4306)", () => {
    const rules = withThreadRules(defaults)!;
    const reply = text({
      "m.relates_to": { rel_type: "m.thread", event_id: "$1" },
    });
    const muted: PushRuleset = {
      ...rules,
      room: [
        {
          rule_id: here.shared.roomId,
          default: false,
          enabled: true,
          actions: [],
        },
      ],
    };

    it("are silent for a thread that is not followed", () => {
      expect(evaluate(reply, { followsThread: false }, rules)).to.deep.equal(
        nothing,
      );
    });

    it("tell of a thread that is followed, in a muted room too", () => {
      const context = { followsThread: true };
      for (const ruleset of [rules, muted])
        expect(evaluate(reply, context, ruleset).actions).to.deep.equal([
          ...["notify", sound],
        ]);
    });

    it("leave the main timeline alone", () => {
      expect(evaluate(text(), {}, rules).actions).to.deep.equal(["notify"]);
      expect(evaluate(text(), {}, muted)).to.deep.equal(nothing);
    });

    it("come after mentions and keywords", () => {
      const keyword = setPushRule(rules, "content", "cake", {
        pattern: "cake",
        actions: ["notify", highlight],
      });
      const context = { followsThread: false };
      const cake = text({ ...reply.content, body: "cake" });
      expect(evaluate(cake, context, keyword).highlight).to.equal(true);
      const mention = text({
        ...reply.content,
        "m.mentions": { user_ids: [alice] },
      });
      expect(evaluate(mention, context, rules).highlight).to.equal(true);
    });

    it("are switched on once", () => {
      expect(withThreadRules(rules)).to.equal(undefined);
      expect(asksForThreads(rules)).to.equal(true);
      expect(asksForThreads(defaults)).to.equal(false);
    });
  });

  it("passes over disabled rules", () => {
    const quiet = setPushRuleEnabled(
      defaults,
      "underride",
      ".m.rule.message",
      false,
    );
    expect(evaluate(text(), {}, quiet)).to.deep.equal(nothing);
  });
});

describe("evaluatePushRules with the user's own rules", () => {
  const cake = { content: { msgtype: "m.text", body: "the cake is a lie" } };
  const put = (
    kind: Parameters<typeof setPushRule>[1],
    id: string,
    body: JsonObject,
    ruleset = defaults,
  ) => setPushRule(ruleset, kind, id, body);

  it("asks override, content, room, sender and underride, in that order", () => {
    const bing = (value: string) => ({
      actions: ["notify", { set_tweak: "sound", value }],
    });
    let rules = defaults;
    const expectSound = (value: string) => {
      const { actions } = evaluate(cake, {}, rules);
      expect(actions).to.deep.equal(bing(value).actions);
    };
    rules = put("underride", "all", bing("underride"), rules);
    expectSound("underride");
    rules = put("sender", bob, bing("sender"), rules);
    expectSound("sender");
    rules = put("room", here.shared.roomId, bing("room"), rules);
    expectSound("room");
    rules = put(
      "content",
      "cake",
      { ...bing("content"), pattern: "cake*lie" },
      rules,
    );
    expectSound("content");
    rules = put(
      "override",
      "all",
      { ...bing("override"), conditions: [] },
      rules,
    );
    expectSound("override");
  });

  it("matches a room's rule in rooms whose create event has no room id", () => {
    const there = room("12");
    const rules = put("room", there.shared.roomId, { actions: ["notify"] });
    const create = there.get("m.room.create");
    const outcome = evaluatePushRules(rules, create, {
      userId: bob,
      memberCount: 2,
      senderPower: 0,
      notificationLevels: new Map(),
    });
    expect(outcome.notify).to.equal(true);
  });

  it("needs all conditions to hold, and none that is not known", () => {
    const condition = { kind: "event_match", key: "type", pattern: "m.*" };
    const withConditions = (conditions: JsonObject[]) =>
      evaluate(cake, {}, put("override", "x", { actions: [], conditions }))
        .notify;
    expect(withConditions([condition])).to.equal(false);
    expect(withConditions([condition, { kind: "unknown" }])).to.equal(true);
  });

  it("looks at the event as clients see it, its ids and redacts too", () => {
    for (const [key, pattern] of [
      ["redacts", "$target"],
      ["event_id", "$*"],
      ["room_id", here.shared.roomId],
    ] as const) {
      const conditions = [{ kind: "event_match", key, pattern }];
      const rules = put("override", "x", { actions: ["notify"], conditions });
      const redaction = { type: "m.room.redaction", redacts: "$target" };
      expect(evaluate(redaction, {}, rules).notify).to.equal(true);
    }
  });

  it("takes an action that is no more for no action", () => {
    for (const action of ["dont_notify", "coalesce"]) {
      const stored: PushRuleset = {
        ...defaults,
        content: [
          {
            rule_id: "cake",
            default: false,
            enabled: true,
            pattern: "cake",
            actions: [action],
          },
        ],
      };
      expect(evaluate(cake, {}, stored)).to.deep.equal(nothing);
    }
  });

  it("highlights by the tweak's value, true if there is none", () => {
    const highlightOf = (tweak: JsonObject, notify = "notify") =>
      evaluate(
        cake,
        {},
        setPushRuleActions(defaults, "underride", ".m.rule.message", [
          notify,
          tweak,
        ]),
      ).highlight;
    expect(highlightOf({ set_tweak: "highlight" })).to.equal(true);
    expect(highlightOf({ set_tweak: "highlight", value: true })).to.equal(true);
    expect(highlightOf({ set_tweak: "highlight", value: false })).to.equal(
      false,
    );
    expect(highlightOf({ set_tweak: "sound", value: true })).to.equal(false);
    expect(highlightOf({ set_tweak: "highlight" }, "dont_notify")).to.equal(
      false,
    );
  });
});
