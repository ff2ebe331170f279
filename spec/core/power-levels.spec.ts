import { expect } from "chai";
import type { Pdu, RoomEvent } from "../../src/core/event.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import {
  creatorsOf,
  parsePowerLevels,
  readPowerLevel,
  requiredPowerLevel,
  userPowerLevel,
} from "../../src/core/power-levels.ts";
import { getRoomRules } from "../../src/core/room-version.ts";

const event = (content: JsonObject, sender = "@creator:s"): RoomEvent => ({
  eventId: "$x",
  roomId: "!r",
  pdu: { content, sender } as unknown as Pdu,
  prevEventIds: [],
  authEventIds: [],
  isRejected: false,
});

const [v9, v10, v11, v12] = ["9", "10", "11", "12"].map(getRoomRules) as [
  ReturnType<typeof getRoomRules>,
  ReturnType<typeof getRoomRules>,
  ReturnType<typeof getRoomRules>,
  ReturnType<typeof getRoomRules>,
];

describe("readPowerLevel", () => {
  it("takes integers alone from room version 10 on", () => {
    for (const value of ["50", 50.5, null, true, [], {}, undefined, Infinity]) {
      expect(readPowerLevel(v10, value)).to.equal(undefined);
    }
    expect(readPowerLevel(v10, -5)).to.equal(-5);
  });

  it("takes strings and floats before, as the specification says", () => {
    const cases: [JsonValue, number | undefined][] = [
      ["100", 100],
      ["000100", 100],
      ["+100", 100],
      ["-100", -100],
      [" 00100 ", 100],
      [" +100 ", 100],
      [" -100 ", -100],
      ["1.5", undefined],
      ["1e3", undefined],
      ["0x10", undefined],
      ["", undefined],
      [" ", undefined],
      ["- 5", undefined],
      ["9".repeat(400), undefined],
      [51146.98, 51146],
      [-0.5, -0],
      [50.57, 50],
      [null, undefined],
      [Infinity, undefined],
    ];
    for (const [value, level] of cases) {
      expect(readPowerLevel(v9, value), String(value)).to.equal(level);
    }
  });
});

describe("userPowerLevel", () => {
  it("CVE-2018-12423: gives power to the creator alone while there are no power levels", () => {
    const old = event({ creator: "@creator:s" }, "@other:s");
    expect(userPowerLevel(v10, old, undefined, "@creator:s")).to.equal(100);
    expect(userPowerLevel(v10, old, undefined, "@other:s")).to.equal(0);
    const create = event({ creator: "@other:s" });
    expect(userPowerLevel(v11, create, undefined, "@creator:s")).to.equal(100);
    expect(userPowerLevel(v11, create, undefined, "@other:s")).to.equal(0);
    expect(userPowerLevel(v11, undefined, undefined, "@creator:s")).to.equal(0);
  });

  it("reads users, then users_default", () => {
    const levels = event({
      users: { "@a:s": 7, "@c:s": "x" },
      users_default: 3,
    });
    const of = (user: string) => userPowerLevel(v11, event({}), levels, user);
    expect(of("@a:s")).to.equal(7);
    expect(of("@b:s")).to.equal(3);
    expect(of("@c:s")).to.equal(3);
    expect(of("@creator:s")).to.equal(3);
    expect(userPowerLevel(v11, event({}), event({}), "@a:s")).to.equal(0);
  });

  it("row 45: finds no level under names that every object inherits", () => {
    const levels = event({ users: {}, events: {} });
    for (const name of ["constructor", "__proto__", "valueOf"]) {
      expect(userPowerLevel(v9, event({}), levels, name)).to.equal(0);
      expect(
        requiredPowerLevel(v9, levels, { type: name, isState: true }),
      ).to.equal(50);
    }
  });

  it("is infinite for the creators of a room of version 12", () => {
    const create = event({ additional_creators: ["@b:s"], creator: "@c:s" });
    const levels = event({ users: { "@creator:s": 1, "@b:s": 2, "@c:s": 3 } });
    const of = (user: string) => userPowerLevel(v12, create, levels, user);
    expect([of("@creator:s"), of("@b:s"), of("@c:s")]).to.deep.equal([
      Infinity,
      Infinity,
      3,
    ]);
    expect(creatorsOf(v12, create)).to.deep.equal(["@creator:s", "@b:s"]);
    expect(creatorsOf(v11, create)).to.deep.equal(["@creator:s"]);
    expect(creatorsOf(v10, create)).to.deep.equal(["@c:s"]);
  });
});

describe("requiredPowerLevel", () => {
  const acts = [
    "ban",
    "kick",
    "redact",
    "invite",
    "events_default",
    "state_default",
  ] as const;

  it("has the specification's defaults, with and without an event", () => {
    for (const levels of [undefined, event({})]) {
      expect(
        acts.map((act) => requiredPowerLevel(v12, levels, act)),
      ).to.deep.equal([50, 50, 50, 0, 0, 50]);
      expect(
        requiredPowerLevel(v12, levels, { type: "m.x", isState: false }),
      ).to.equal(0);
      expect(
        requiredPowerLevel(v12, levels, { type: "m.x", isState: true }),
      ).to.equal(50);
    }
  });

  it("CVE-2022-36009: reads every one of the keys", () => {
    const content = Object.fromEntries(
      acts.map((act, index) => [act, index + 10]),
    );
    const levels = event({ ...content, events: { "m.y": 99, "m.z": null } });
    for (const [index, act] of acts.entries()) {
      expect(requiredPowerLevel(v12, levels, act)).to.equal(index + 10);
    }
    const of = (type: string, isState: boolean) =>
      requiredPowerLevel(v12, levels, { type, isState });
    expect([
      of("m.x", false),
      of("m.x", true),
      of("m.y", false),
      of("m.z", true),
    ]).to.deep.equal([14, 15, 99, 15]);
  });
});

describe("parsePowerLevels", () => {
  it("reads all levels at once and leaves out what is none", () => {
    const parsed = parsePowerLevels(v12, {
      ban: 60,
      users: { "@a:s": 5, "@b:s": "6" },
      events: [],
      notifications: { room: 20 },
    });
    expect(parsed.levels).to.include({ ban: 60, kick: 50, users_default: 0 });
    expect([...parsed.users]).to.deep.equal([["@a:s", 5]]);
    expect(parsed.events.size).to.equal(0);
    expect(parsed.notifications.get("room")).to.equal(20);
    expect(parsePowerLevels(v12, undefined).levels.state_default).to.equal(50);
  });
});
