import { expect } from "chai";
import type { Pdu } from "../../src/core/event.ts";
import { redact, redactsOf } from "../../src/core/redaction.ts";
import {
  DEFAULT_ROOM_VERSION,
  findRoomRules,
  getRoomRules,
  roomVersions,
  type RoomRules,
} from "../../src/core/room-version.ts";

const versionsWith = (holds: (rules: RoomRules) => boolean) =>
  roomVersions.filter((version) => holds(getRoomRules(version)));
const from = (first: number) =>
  roomVersions.filter((version) => Number(version) >= first);

describe("room versions", () => {
  it("are 1 to 12, and 12 is the default", () => {
    expect(roomVersions).to.deep.equal(
      Array.from({ length: 12 }, (_, index) => String(index + 1)),
    );
    expect(DEFAULT_ROOM_VERSION).to.equal("12");
    for (const version of ["0", "13", "", "v12", "constructor", "__proto__"]) {
      expect(findRoomRules(version)).to.equal(undefined);
      expect(() => getRoomRules(version))
        .to.throw()
        .with.property("errcode", "M_UNSUPPORTED_ROOM_VERSION");
    }
  });

  it("change each rule with the version that the specification names", () => {
    const table: [(rules: RoomRules) => boolean, number][] = [
      [({ stateResolution }) => stateResolution !== "v1", 2],
      [({ eventIdFormat }) => eventIdFormat !== "domain", 3],
      [({ authorization }) => !authorization.redactionAuth, 3],
      [({ eventIdFormat }) => eventIdFormat === "url-safe-hash", 4],
      [({ enforceKeyValidity }) => enforceKeyValidity, 5],
      [({ strictCanonicalJson }) => strictCanonicalJson, 6],
      [({ authorization }) => !authorization.specialCaseAliases, 6],
      [({ authorization }) => authorization.limitNotificationsPowerLevels, 6],
      [({ authorization }) => authorization.knocking, 7],
      [({ authorization }) => authorization.restrictedJoin, 8],
      [({ authorization }) => authorization.knockRestricted, 10],
      [({ authorization }) => authorization.integerPowerLevels, 10],
      [({ authorization }) => authorization.creatorFromSender, 11],
      [({ redaction }) => redaction.redactsInContent, 11],
      [({ roomIdFormat }) => roomIdFormat === "create-hash", 12],
      [({ stateResolution }) => stateResolution === "v2.1", 12],
      [({ authorization }) => authorization.explicitlyPrivilegedCreators, 12],
      [({ authorization }) => authorization.additionalCreators, 12],
      [({ authorization }) => authorization.roomIdIsCreateHash, 12],
    ];
    for (const [holds, first] of table) {
      expect(versionsWith(holds), holds.toString()).to.deep.equal(from(first));
    }
  });
});

describe("redact", () => {
  /** The versions in which a redaction keeps a key of the content of a type. */
  const keeps = (type: string, key: string) =>
    versionsWith(
      (rules) =>
        key in
        redact(rules, { type, content: { [key]: 1 } } as unknown as Pdu)
          .content,
    );

  it("keeps of each type's content what its version lists", () => {
    for (const [type, keys] of Object.entries({
      "m.room.member": ["membership"],
      "m.room.create": ["creator"],
      "m.room.join_rules": ["join_rule"],
      "m.room.history_visibility": ["history_visibility"],
      "m.room.power_levels": [
        "ban",
        "events",
        "events_default",
        "kick",
        "redact",
        "state_default",
        "users",
        "users_default",
      ],
    })) {
      for (const key of keys) {
        expect(keeps(type, key), `${type} ${key}`).to.deep.equal(roomVersions);
      }
      expect(keeps(type, "x")).to.deep.equal(
        type === "m.room.create" ? from(11) : [],
      );
    }
    expect(keeps("m.room.aliases", "aliases")).to.deep.equal(
      roomVersions.slice(0, 5),
    );
    expect(keeps("m.room.join_rules", "allow")).to.deep.equal(from(8));
    expect(
      keeps("m.room.member", "join_authorised_via_users_server"),
    ).to.deep.equal(from(9));
    expect(keeps("m.room.power_levels", "invite")).to.deep.equal(from(11));
    expect(keeps("m.room.redaction", "redacts")).to.deep.equal(from(11));
    expect(keeps("m.room.power_levels", "notifications")).to.deep.equal([]);
    expect(keeps("m.room.message", "body")).to.deep.equal([]);
    expect(keeps("constructor", "name")).to.deep.equal([]);
  });

  it("keeps of a third party invite only what was signed, from version 11 on", () => {
    const pdu = {
      type: "m.room.member",
      content: { third_party_invite: { signed: { a: 1 }, display_name: "x" } },
    } as unknown as Pdu;
    const kept = (version: string) =>
      JSON.stringify(redact(getRoomRules(version), pdu).content);
    expect(kept("10")).to.equal("{}");
    expect(kept("11")).to.equal('{"third_party_invite":{"signed":{"a":1}}}');
    const odd = { ...pdu, content: { third_party_invite: "x" } };
    expect(redact(getRoomRules("11"), odd).content).not.to.have.property(
      "third_party_invite",
    );
  });

  it("keeps the keys of the top level that its version lists", () => {
    const always = [
      "event_id",
      "type",
      "room_id",
      "sender",
      "state_key",
      "hashes",
      "signatures",
      "depth",
      "prev_events",
      "auth_events",
      "origin_server_ts",
    ];
    const old = ["prev_state", "origin", "membership"];
    const gone = ["unsigned", "redacts", "x", "__proto__x"];
    const event = Object.fromEntries(
      [...always, ...old, ...gone].map((key) => [key, "v"]),
    );
    for (const version of roomVersions) {
      const pdu = { ...event, content: {} } as unknown as Pdu;
      const kept = Object.keys(redact(getRoomRules(version), pdu)).sort();
      const wanted = [
        ...always,
        "content",
        ...(Number(version) < 11 ? old : []),
      ];
      expect(kept).to.deep.equal(wanted.sort());
    }
  });

  it("does not touch the event itself", () => {
    const pdu = {
      type: "m.x",
      content: { body: "x" },
      unsigned: { a: 1 },
    } as unknown as Pdu;
    redact(getRoomRules("12"), pdu);
    expect(pdu).to.deep.equal({
      type: "m.x",
      content: { body: "x" },
      unsigned: { a: 1 },
    });
  });
});

describe("redactsOf", () => {
  it("reads the place that the room version has", () => {
    const event = { content: { redacts: "$inner" }, redacts: "$outer" };
    expect(redactsOf(getRoomRules("10"), event)).to.equal("$outer");
    expect(redactsOf(getRoomRules("11"), event)).to.equal("$inner");
    expect(redactsOf(getRoomRules("11"), { content: { redacts: 1 } })).to.equal(
      undefined,
    );
  });
});
