import { expect } from "chai";
import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import {
  matchesCondition,
  type PushContext,
} from "../../../src/core/push/conditions.ts";

const nameless: PushContext = {
  userId: "@alice:a.example",
  memberCount: 3,
  senderPower: 50,
  notificationLevels: new Map(),
};
const context: PushContext = { ...nameless, displayName: "Alice A." };

const matches = (
  condition: JsonObject,
  content: JsonObject = {},
  change: Partial<PushContext> = {},
) =>
  matchesCondition(
    condition,
    { type: "m.room.message", content },
    { ...context, ...change },
  );

describe("matchesCondition", () => {
  it("io.element.msc4306.thread_subscription asks for the thread that the event is in", () => {
    const kind = "io.element.msc4306.thread_subscription";
    const match = (subscribed: JsonValue, followsThread?: boolean) =>
      matches({ kind, subscribed }, {}, { followsThread });
    for (const follows of [true, false]) {
      expect(match(follows, follows)).to.equal(true);
      expect(match(!follows, follows)).to.equal(false);
      expect(match(follows)).to.equal(false);
      expect(match("true", follows)).to.equal(false);
    }
    expect(matches({ kind }, {}, {})).to.equal(false);
  });

  describe("event_match", () => {
    const match = (key: string, pattern: JsonValue, content: JsonObject) =>
      matches({ kind: "event_match", key, pattern }, content);

    it("matches the entire value, whatever the case", () => {
      for (const topic of ["Lunch plans", "LUNCH"]) {
        expect(match("content.topic", "lunc?*", { topic })).to.equal(true);
      }
      for (const topic of [" lunch", "lunc", null, 1]) {
        expect(match("content.topic", "lunc?*", { topic })).to.equal(false);
      }
    });

    it("matches nothing if the property is absent, even with *", () => {
      expect(match("content.topic", "*", {})).to.equal(false);
      expect(match("state_key", "", {})).to.equal(false);
    });

    it("matches words of content.body", () => {
      for (const body of [
        "An example event.",
        "exple",
        "An exciting triple-whammy",
      ]) {
        expect(match("content.body", "ex*ple", { body })).to.equal(true);
      }
      for (const body of ["examples", "_example", "hexample", "1example"]) {
        expect(match("content.body", "example", { body })).to.equal(false);
      }
      expect(match("content.body", "example", { body: "éexampleé" })).to.equal(
        true,
      );
    });

    it("takes what is special elsewhere as ordinary characters", () => {
      expect(match("content.x", "a.c", { x: "abc" })).to.equal(false);
      expect(match("content.x", "a.c[(", { x: "a.c[(" })).to.equal(true);
    });

    it("matches nothing without a pattern", () => {
      for (const pattern of [null, 1, {}]) {
        expect(match("content.x", pattern, { x: "x" })).to.equal(false);
      }
      expect(matches({ kind: "event_match", key: "type" })).to.equal(false);
    });

    it("ends soon on a pattern made to take long", () => {
      const body = "a".repeat(20_000);
      const pattern = `${"*a".repeat(30)}b`;
      const start = performance.now();
      expect(match("content.body", pattern, { body })).to.equal(false);
      expect(match("content.x", pattern, { x: body })).to.equal(false);
      expect(performance.now() - start).to.be.below(1000);
    });
  });

  describe("event_property_is", () => {
    const is = (value: JsonValue, x: JsonValue) =>
      matches({ kind: "event_property_is", key: "content.x", value }, { x });

    it("matches strings, integers, booleans and null exactly", () => {
      for (const value of ["x", "", 1, 0, -5, true, false, null]) {
        expect(is(value, value)).to.equal(true);
      }
      expect(is(true, "true")).to.equal(false);
      expect(is(1, true)).to.equal(false);
      expect(is("x", "X")).to.equal(false);
      expect(is(null, "")).to.equal(false);
    });

    it("matches no other values", () => {
      expect(is(1.5, 1.5)).to.equal(false);
      expect(is([1], [1])).to.equal(false);
      expect(is({}, {})).to.equal(false);
      expect(matches({ kind: "event_property_is", key: "content.x" })).to.equal(
        false,
      );
    });

    it("finds keys with escaped dots", () => {
      const condition = {
        kind: "event_property_is",
        key: "content.m\\.federate",
        value: true,
      };
      expect(matches(condition, { "m.federate": true })).to.equal(true);
      expect(matches(condition, { m: { federate: true } })).to.equal(false);
    });
  });

  describe("event_property_contains", () => {
    const contains = (value: JsonValue, x: JsonValue) =>
      matches(
        { kind: "event_property_contains", key: "content.x", value },
        { x },
      );

    it("matches arrays that hold the value exactly", () => {
      expect(contains("a", ["b", "a"])).to.equal(true);
      expect(contains(null, [null])).to.equal(true);
      expect(contains("a", ["ab"])).to.equal(false);
      expect(contains(1, ["1"])).to.equal(false);
      expect(contains("a", [["a"]])).to.equal(false);
    });

    it("matches nothing but arrays", () => {
      expect(contains("a", "a")).to.equal(false);
      expect(contains("a", { a: "a" })).to.equal(false);
    });
  });

  describe("contains_display_name, which stored rules may still have", () => {
    const condition = { kind: "contains_display_name" };

    it("matches the name as words of the body", () => {
      expect(matches(condition, { body: "hey alice a.!" })).to.equal(true);
      expect(matches(condition, { body: "hey malice a.!" })).to.equal(false);
      expect(matches(condition, {})).to.equal(false);
    });

    it("takes a star in a name for one character", () => {
      const star = { displayName: "*" };
      expect(matches(condition, { body: "x" }, star)).to.equal(true);
      expect(matches(condition, { body: "xyz" }, star)).to.equal(false);
    });

    it("matches nothing for those without a name", () => {
      const body = { body: "hey" };
      expect(matches(condition, body, { displayName: "" })).to.equal(false);
      expect(matchesCondition(condition, { content: body }, nameless)).to.equal(
        false,
      );
    });
  });

  describe("room_member_count", () => {
    const cases: [is: JsonValue, expected: boolean][] = [
      ["3", true],
      ["==3", true],
      ["2", false],
      ["<3", false],
      ["<4", true],
      [">3", false],
      [">2", true],
      ["<=3", true],
      [">=3", true],
      [">=4", false],
      ["=3", false],
      ["", false],
      ["three", false],
      ["3 ", false],
      ["-3", false],
      [3, false],
      [null, false],
    ];
    for (const [is, expected] of cases) {
      it(`${expected ? "matches" : "does not match"} 3 members with ${JSON.stringify(is)}`, () => {
        expect(matches({ kind: "room_member_count", is })).to.equal(expected);
      });
    }
  });

  describe("sender_notification_permission", () => {
    const condition = { kind: "sender_notification_permission", key: "room" };

    it("takes a level of 50 by default", () => {
      expect(matches(condition)).to.equal(true);
      expect(matches(condition, {}, { senderPower: 49 })).to.equal(false);
    });

    it("takes the level that the room sets", () => {
      const notificationLevels = new Map([["room", 51]]);
      expect(matches(condition, {}, { notificationLevels })).to.equal(false);
    });

    it("matches nothing without a key", () => {
      expect(matches({ kind: condition.kind })).to.equal(false);
    });
  });

  it("does not match conditions that are not known", () => {
    for (const kind of ["device", "", null, undefined]) {
      expect(matches(kind === undefined ? {} : { kind })).to.equal(false);
    }
  });

  it("matches no feature of room versions, of which there are none yet (MSC3931)", () => {
    for (const kind of [
      "room_version_supports",
      "org.matrix.msc3931.room_version_supports",
    ])
      for (const feature of ["org.matrix.msc3932.extensible_events", "", 7])
        expect(matches({ kind, feature })).to.equal(false);
  });
});
