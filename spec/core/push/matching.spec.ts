import { expect } from "chai";
import { compileGlob } from "../../../src/core/glob.ts";
import { defaultPushRules } from "../../../src/core/push/default-rules.ts";
import { evaluatePushRules } from "../../../src/core/push/evaluate.ts";
import {
  EventTexts,
  wordPatternOf,
} from "../../../src/core/push/event-texts.ts";
import { KeywordIndex } from "../../../src/core/push/keyword-index.ts";
import {
  EventMatching,
  STEPS_OF_ALL,
  STEPS_OF_ONE,
} from "../../../src/core/push/matching.ts";
import type { PushRule, PushRuleset } from "../../../src/core/push/ruleset.ts";
import { WorkLimit } from "../../../src/core/push/work.ts";
import { alice, bob, room } from "../room-builder.ts";

/** A costly pattern, another one for each number, none of which finds a text of a's. */
const costly = (n: number): string => {
  const bits = n.toString(2).padStart(14, "0").replaceAll("0", "a?");
  return `a${bits.replaceAll("1", "?a")}${"a?".repeat(200)}b?`;
};
const LONG = `${"a".repeat(60_000)} the end`;
/** It finds the long text, and takes more than a look into it. */
const FOUND = "the e?d";

const contentRule = (pattern: string): PushRule => ({
  rule_id: pattern,
  default: false,
  enabled: true,
  pattern,
  actions: ["notify", { set_tweak: "highlight" }],
});

const overrideRule = (pattern: string): PushRule => {
  const { rule_id, actions } = contentRule(pattern);
  const condition = { kind: "event_match", key: "content.body", pattern };
  return {
    ...{ rule_id, actions, default: false, enabled: true },
    conditions: [condition],
  };
};

describe("the work of push rules", () => {
  const here = room("11").join(bob);
  const message = here.draft({
    type: "m.room.message",
    sender: bob,
    content: { msgtype: "m.text", body: LONG },
  });
  const defaults = defaultPushRules(alice);
  const evaluate = (
    change: Partial<PushRuleset>,
    matching = new EventMatching(),
    userId = alice,
  ) =>
    evaluatePushRules({ ...defaults, ...change }, message, {
      userId,
      memberCount: 3,
      senderPower: 0,
      notificationLevels: new Map(),
      matching,
    });

  const kinds: [string, (patterns: string[]) => Partial<PushRuleset>][] = [
    ["content", (patterns) => ({ content: patterns.map(contentRule) })],
    ["override", (patterns) => ({ override: patterns.map(overrideRule) })],
  ];
  const many = Array.from({ length: 10_000 }, (_, n) => costly(n));

  for (const [kind, rulesOf] of kinds)
    it(`C10 row 48: ends with what one person may cost, after which no ${kind} rule of patterns matches`, () => {
      expect(evaluate(rulesOf([FOUND])).highlight).to.equal(true);
      expect(evaluate(rulesOf([costly(0), FOUND])).highlight).to.equal(true);
      const matching = new EventMatching();
      expect(evaluate(rulesOf([...many, FOUND]), matching).highlight).to.equal(
        false,
      );
      const { left } = matching.workFor(alice);
      expect(left).to.be.within(0, STEPS_OF_ONE);
      expect(left).to.be.below(LONG.length);
    });

  it("ends for one person and not for the next", () => {
    const matching = new EventMatching();
    evaluate({ content: many.map(contentRule) }, matching);
    const found = { content: [contentRule(FOUND)] };
    expect(evaluate(found, matching).highlight).to.equal(false);
    expect(evaluate(found, matching, "@carol:test").highlight).to.equal(true);
  });

  it("ends for all where many cost as much as they may", () => {
    const matching = new EventMatching();
    const people = STEPS_OF_ALL / STEPS_OF_ONE;
    for (let n = 0; n < people; n += 1)
      matching.workFor(`@u${n}:test`).take(STEPS_OF_ONE);
    const found = { content: [contentRule(FOUND)] };
    expect(evaluate(found, matching).highlight).to.equal(false);
  });

  it("never ends for plain words, of which a person may have thousands", () => {
    const words = Array.from({ length: 10_000 }, (_, n) => `word${n}`);
    const content = [...words, "end"].map(contentRule);
    expect(evaluate({ content }).highlight).to.equal(true);
  });

  it("is shared by those who wait for the same pattern", () => {
    const index = new KeywordIndex(
      new Map([...many, FOUND].map((pattern) => [pattern, [pattern]])),
      (a, b) => [...a, ...b],
    );
    const rich = new WorkLimit(STEPS_OF_ONE);
    const poor = new WorkLimit(STEPS_OF_ONE);
    const found = index.find(LONG, new EventTexts(), ([pattern]) =>
      pattern === FOUND ? rich : poor,
    );
    expect(found).to.deep.equal([[FOUND]]);
    expect(poor.left).to.be.below(LONG.length);
    expect(rich.left).to.be.above(STEPS_OF_ONE - 5 * LONG.length);
  });

  it("counts what a glob is tried for, words of bits included", () => {
    expect(compileGlob("*a*b*").steps).to.equal(1);
    expect(compileGlob("a".repeat(1_000)).steps).to.equal(1);
    expect(compileGlob(`*${"a?".repeat(160)}*b?*`).steps).to.equal(10);
  });

  it("takes nothing for what it refuses", () => {
    const whole = new WorkLimit(10);
    const part = new WorkLimit(8, whole);
    expect(part.take(9)).to.equal(false);
    expect(part.take(6)).to.equal(true);
    const other = new WorkLimit(8, whole);
    expect(other.take(5)).to.equal(false);
    expect(other.take(4)).to.equal(true);
    expect([whole.left, part.left, other.left]).to.deep.equal([0, 2, 4]);
  });

  it("looks for no more than the first signs of a pattern", () => {
    expect(wordPatternOf("a*Bcd?ef").sought).to.equal("bcd");
    expect(wordPatternOf("x".repeat(1_000)).sought).to.have.length(32);
    const long = `${"y ".repeat(50)}z`;
    const text = new EventTexts().of(`- ${long} -`);
    const work = new WorkLimit(10_000);
    expect(text.matchesInWords(wordPatternOf(long), work)).to.equal(true);
    expect(text.matchesInWords(wordPatternOf(`${long}y`), work)).to.equal(
      false,
    );
  });
});
