import type { JsonObject, JsonValue } from "../../../src/core/json.ts";
import {
  alice,
  bob,
  carol,
  emptyRoom,
  powerLevelsDraft,
  powers,
  room,
  VERSIONS,
  versions,
} from "../room-builder.ts";
import { expectAllowed, expectRejected } from "./verdicts.ts";

const PROPERTIES = [
  "users_default",
  "events_default",
  "state_default",
  "ban",
  "redact",
  "kick",
  "invite",
];
const MAPS = ["events", "notifications", "users"];
const MISSING = Symbol("missing");

/** A level 50 in every form that an event can give it, and what reads it. */
const FORMS: [
  name: string,
  value: JsonValue | typeof MISSING,
  readBy: string[],
][] = [
  ["an integer", 50, VERSIONS],
  ["a string", "50", versions(1, 9)],
  ["a string with sign, zeroes and space", " +050 ", versions(1, 9)],
  ["a string with a fraction", "50.5", []],
  ["a word", "fifty", []],
  ["an empty string", "", []],
  // From version 6 on the reader lets no floats through.
  ["a float", 50.57, versions(1, 9)],
  ["null", null, []],
  ["a boolean", true, []],
  ["an object", {}, []],
  ["an array", [50], []],
  ["missing", MISSING, VERSIONS],
];

/** A test per form: Bob, at 50, sets it where there was no such level. */
for (const version of VERSIONS) {
  describe(`m.room.power_levels in room version ${version}`, () => {
    const here = () =>
      room(version)
        .join(bob)
        .join(carol)
        .powerLevels(powers(version, { [bob]: 50 }));
    const check = (change: JsonObject, by = bob, from: JsonObject = {}) => {
      const there = here().powerLevels(powers(version, { [bob]: 50 }, from));
      const content = powers(version, { [bob]: 50 }, change);
      return there.check(powerLevelsDraft(content, by));
    };

    describe("every key in every form (CVE-2022-36009)", () => {
      for (const [form, value, readBy] of FORMS) {
        const isRead = readBy.includes(version);
        it(`${isRead ? "reads" : "refuses"} ${form}`, () => {
          const contents = [
            ...PROPERTIES.map((key) =>
              value === MISSING ? {} : { [key]: value },
            ),
            ...MAPS.map((key) => ({
              [key]: {
                ...(key === "users"
                  ? (powers(version, { [bob]: 50 })["users"] as JsonObject)
                  : {}),
                ...(value === MISSING
                  ? {}
                  : { [key === "users" ? carol : "x"]: value }),
              },
            })),
          ];
          // Notifications were not looked at before version 6.
          const isFree = (content: JsonObject) =>
            "notifications" in content && versions(1, 5).includes(version);
          for (const content of contents) {
            if (isRead || isFree(content)) expectAllowed(check(content));
            else expectRejected(check(content), /not a|integer/);
          }
        });
      }

      it("takes every level at its value, neither less nor more", () => {
        const forms: JsonValue[] = versions(10).includes(version)
          ? [51]
          : [51, "51", " +051 "];
        for (const form of forms) {
          for (const key of PROPERTIES) {
            expectRejected(check({ [key]: form }), /above the sender's own/);
            expectAllowed(check({ [key]: form }, alice));
          }
        }
      });
    });

    it("refuses users that are no object of user ids", () => {
      for (const users of [null, [], "x", { bob: 50 }, { "": 1 }]) {
        expectRejected(check({ users }), /users|user id/);
      }
    });

    it("allows anything well-formed as the first power levels event", () => {
      const first = emptyRoom(version).join(alice);
      const content = powers(version, { [bob]: 100_000 }, { ban: 100_000 });
      expectAllowed(first.check(powerLevelsDraft(content)));
    });

    it("takes the level for power levels events themselves", () => {
      expectRejected(check({}, carol), /may not send/);
    });

    describe("properties", () => {
      for (const key of PROPERTIES) {
        it(`${key} is changed by those at or above its old and new value`, () => {
          expectAllowed(check({ [key]: 50 }, bob, { [key]: 49 }));
          expectAllowed(check({}, bob, { [key]: 50 }));
          expectRejected(check({ [key]: 51 }, bob, { [key]: 49 }), /above/);
          if (key === "state_default") return;
          expectRejected(
            check({ [key]: 49 }, bob, { [key]: 51 }),
            /not change/,
          );
          expectRejected(check({}, bob, { [key]: 51 }), /may not change/);
          expectAllowed(check({ [key]: 51 }, bob, { [key]: 51 }));
        });
      }
    });

    describe("events", () => {
      it("are added, changed and removed at or below the sender's level", () => {
        const events = (level?: number) => ({
          events: level === undefined ? {} : { x: level },
        });
        expectAllowed(check(events(50), bob));
        expectAllowed(check(events(49), bob, events(50)));
        expectAllowed(check(events(), bob, events(50)));
        expectAllowed(check(events(51), bob, events(51)));
        expectRejected(check(events(51), bob), /above/);
        expectRejected(check(events(51), bob, events(50)), /above/);
        expectRejected(check(events(50), bob, events(51)), /may not change/);
        expectRejected(check(events(), bob, events(51)), /may not change/);
        expectRejected(check({}, bob, events(51)), /may not change/);
      });
    });

    describe("users", () => {
      const users = (level?: number, own = 50) => ({
        users: powers(version, {
          [bob]: own,
          ...(level === undefined ? {} : { [carol]: level }),
        })["users"]!,
      });

      it("are added at or below the sender's level", () => {
        expectAllowed(check(users(50)));
        expectRejected(check(users(51)), /above/);
      });

      it("are changed and removed only below the sender's level", () => {
        expectAllowed(check(users(50), bob, users(49)));
        expectAllowed(check(users(), bob, users(49)));
        expectRejected(check(users(49), bob, users(50)), /power of @carol/);
        expectRejected(check(users(), bob, users(50)), /power of @carol/);
        expectAllowed(check(users(50), bob, users(50)));
      });

      it("let the sender step down, and not up", () => {
        expectAllowed(check(users(undefined, 0)));
        expectRejected(check(users(undefined, 51)), /above/);
      });

      it("with odd names are ordinary keys", () => {
        for (const name of ["__proto__", "constructor"]) {
          const odd = JSON.parse(`{"events":{"${name}":51}}`) as JsonObject;
          expectRejected(check(odd), /above/);
        }
      });
    });
  });
}

describe("m.room.power_levels: notifications", () => {
  for (const version of VERSIONS) {
    const isLimited = versions(6).includes(version);
    it(`are ${isLimited ? "limited" : "free"} in version ${version}`, () => {
      const here = room(version).join(bob);
      const content = powers(version, { [bob]: 50 });
      const raised = { ...content, notifications: { room: 51 } };
      here.powerLevels(content);
      const raise = here.check(powerLevelsDraft(raised, bob));
      here.powerLevels(raised);
      const remove = here.check(powerLevelsDraft(content, bob));
      if (isLimited) {
        expectRejected(raise, /above/);
        expectRejected(remove, /may not change/);
      } else {
        expectAllowed(raise);
        expectAllowed(remove);
      }
    });
  }
});

describe("m.room.power_levels: form, from version 10 on", () => {
  for (const version of versions(10)) {
    it(`is checked in the first event too in version ${version}`, () => {
      const first = emptyRoom(version).join(alice);
      for (const content of [
        { ban: "50" },
        { events: [] },
        { events: { x: "1" } },
        { notifications: null },
        { users_default: 1.5 },
      ]) {
        expectRejected(first.check(powerLevelsDraft(content)), /integer/);
      }
    });
  }
});

describe("m.room.power_levels: creators in version 12", () => {
  it("cannot be listed", () => {
    const here = emptyRoom("12", { additional_creators: [bob] }).join(alice);
    for (const user of [alice, bob]) {
      expectRejected(
        here.check(powerLevelsDraft({ users: { [user]: 100 } })),
        /creators/,
      );
    }
    expectAllowed(here.check(powerLevelsDraft({ users: { [carol]: 100 } })));
  });

  it("change anything", () => {
    const here = room("12");
    const highest = { users: { [carol]: Number.MAX_SAFE_INTEGER } };
    expectAllowed(here.powerLevels(highest).check(powerLevelsDraft({})));
  });
});
