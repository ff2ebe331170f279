import { expect } from "chai";
import { asJson, type EventTemplate, type Pdu } from "../../src/core/event.ts";
import { checkEventFormat, clampDepth } from "../../src/core/event-format.ts";
import { mergeEventText } from "../../src/core/event-parts.ts";
import { finishEvent } from "../../src/core/finish-event.ts";
import { inspectEvent } from "../../src/core/inspect-event.ts";
import { readJson } from "../../src/core/json-reader.ts";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { getRoomRules, roomVersions } from "../../src/core/room-version.ts";
import { privateKeyFromSeed, publicKeyOf } from "../../src/core/signing-key.ts";
import { isSignedText } from "../../src/core/signing.ts";
import { without } from "./arbitraries.ts";

const key = {
  serverName: "s",
  keyId: "ed25519:1",
  privateKey: privateKeyFromSeed(Buffer.alloc(32, 9)),
};
const HASH = "Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ";

function template(version: string): EventTemplate {
  const isOld = Number(version) < 3;
  return {
    ...(isOld ? { event_id: "$1:s" } : {}),
    type: "m.room.message",
    sender: "@a:s",
    room_id: version === "12" ? `!${HASH}` : "!r:s",
    content: { body: "x" },
    origin_server_ts: 1,
    depth: 3,
    prev_events: [isOld ? ["$0:s", { sha256: "h" }] : `$${HASH}`],
    auth_events: [],
  };
}

const wire = (pdu: Pdu | JsonObject): JsonValue =>
  readJson(JSON.stringify(pdu), { maxDepth: Infinity });

describe("inspectEvent", () => {
  for (const version of roomVersions) {
    it(`takes what finishEvent made, in room version ${version}`, () => {
      const rules = getRoomRules(version);
      const finished = finishEvent(rules, template(version), key);
      const seen = inspectEvent(
        rules,
        wire({ ...finished.pdu, unsigned: { age: 1 } }),
      );
      if ("invalid" in seen) throw new Error(seen.invalid);
      expect(seen).to.include({
        eventId: finished.eventId,
        roomId: finished.pdu.room_id,
        skeleton: finished.skeleton,
        content: finished.content,
        isRedactedCopy: false,
      });
      expect(JSON.parse(JSON.stringify(seen.pdu))).to.deep.equal(finished.pdu);
      const signature = finished.pdu.signatures["s"]!["ed25519:1"]!;
      expect(
        isSignedText(seen.signedText, signature, publicKeyOf(key.privateKey)),
      ).to.equal(true);
    });

    it(`keeps only the skeleton where the content was changed, in room version ${version}`, () => {
      const rules = getRoomRules(version);
      const { pdu, eventId, skeleton } = finishEvent(
        rules,
        template(version),
        key,
      );
      const seen = inspectEvent(
        rules,
        wire({ ...pdu, content: { body: "y" } }),
      );
      expect(seen).to.include({
        eventId,
        skeleton,
        content: null,
        isRedactedCopy: true,
      });
      expect((seen as { pdu: Pdu }).pdu.content).to.not.have.property("body");
    });
  }

  it("finds the room of a create event whose hash is the room's id", () => {
    const rules = getRoomRules("12");
    const create: EventTemplate = {
      ...without(template("12"), "room_id"),
      type: "m.room.create",
      state_key: "",
      prev_events: [],
    };
    const { pdu, eventId } = finishEvent(rules, create, key);
    expect(inspectEvent(rules, wire(pdu))).to.have.property(
      "roomId",
      `!${eventId.slice(1)}`,
    );
    const other = { ...pdu, type: "m.room.message" };
    expect(inspectEvent(rules, wire(other))).to.deep.equal({
      invalid: "room_id is not a room id.",
    });
  });

  it("C17: answers any JSON with a verdict", () => {
    const { pdu } = finishEvent(getRoomRules("11"), template("11"), key);
    const values: JsonValue[] = [
      null,
      1,
      "x",
      [],
      {},
      [pdu as unknown as JsonValue],
    ];
    for (const name of Object.keys(pdu)) {
      for (const bad of [
        null,
        1,
        "",
        "x",
        [],
        {},
        [1],
        [[]],
        { a: 1 },
        1.5,
        -1,
        "@a:s",
        true,
      ]) {
        values.push({ ...asJson(pdu), [name]: bad });
      }
    }
    for (const version of roomVersions) {
      for (const value of values) inspectEvent(getRoomRules(version), value);
    }
  });

  it("row 38: takes a content as deep as its bytes allow", () => {
    const rules = getRoomRules("11");
    const deep = readJson(`{"a":${"[".repeat(32_000)}${"]".repeat(32_000)}}`, {
      maxDepth: Infinity,
    });
    const { pdu, skeleton, content } = finishEvent(
      rules,
      { ...template("11"), content: deep as JsonObject },
      key,
    );
    const text = mergeEventText(skeleton, content);
    const seen = inspectEvent(rules, readJson(text, { maxDepth: Infinity }));
    expect(seen).to.include({ isRedactedCopy: false, content });
    expect(pdu.content).to.equal(deep);
  });
});

describe("checkEventFormat", () => {
  const rules = getRoomRules("11");
  const { pdu } = finishEvent(rules, template("11"), key);
  const verdict = (changes: Record<string, unknown>, version = "11") =>
    checkEventFormat(
      getRoomRules(version),
      { ...asJson(pdu), ...(changes as JsonObject) },
      1_000,
    );
  const id = (sigil: string, end: string, bytes: number) =>
    `${sigil}${"😀".repeat(50)}${"a".repeat(bytes - 200 - sigil.length - end.length)}${end}`;

  it("row 40: takes 255 bytes and refuses 256, for each key with a limit", () => {
    for (const [name, sigil, end] of [
      ["sender", "@", ":s"],
      ["room_id", "!", ":s"],
      ["state_key", "", ""],
      ["type", "", ""],
    ] as const) {
      expect(verdict({ [name]: id(sigil, end, 255) }), name).to.equal("valid");
      expect(verdict({ [name]: id(sigil, end, 256) }), name).to.have.property(
        "invalid",
      );
    }
    const old = { event_id: id("$", ":s", 255), prev_events: [] };
    expect(verdict(old, "1")).to.equal("valid");
    expect(
      verdict({ ...old, event_id: id("$", ":s", 256) }, "1"),
    ).to.have.property("invalid");
  });

  it("row 40: takes 65,536 bytes and refuses 65,537", () => {
    const filled = (body: string) =>
      finishEvent(rules, { ...template("11"), content: { body } }, key);
    const { skeleton, content } = filled("");
    const room = 65_536 - Buffer.byteLength(mergeEventText(skeleton, content));
    const body = "😀".repeat(Math.floor(room / 4)) + "a".repeat(room % 4);
    const full = filled(body);
    expect(
      Buffer.byteLength(mergeEventText(full.skeleton, full.content)),
    ).to.equal(65_536);
    expect(inspectEvent(rules, wire(full.pdu))).not.to.have.property("invalid");
    expect(() => filled(`${body}a`))
      .to.throw()
      .with.property("errcode", "M_TOO_LARGE");
    const grown = { ...full.pdu, content: { body: `${body}a` } };
    expect(inspectEvent(rules, wire(grown))).to.have.property("invalid");
  });

  it("CVE-2018-10657: takes depths of the version's range only", () => {
    for (const depth of [-1, 1.5, "1", null, NaN, 1e300]) {
      expect(verdict({ depth }), String(depth)).to.have.property("invalid");
    }
    expect(verdict({ depth: 0 })).to.equal("valid");
    const text = (version: string, depth: string) =>
      inspectEvent(
        getRoomRules(version),
        readJson(
          JSON.stringify({ ...pdu, depth: 7 }).replace(
            '"depth":7',
            `"depth":${depth}`,
          ),
          { numbers: "keep-tokens" },
        ),
      );
    expect(text("5", "9223372036854775807")).not.to.have.property("invalid");
    expect(text("6", "9223372036854775807")).to.have.property("invalid");
    expect(text("6", "9007199254740992")).to.have.property("invalid");
    expect(text("6", "9007199254740991")).not.to.have.property("invalid");
    expect(clampDepth(2 ** 63)).to.equal(Number.MAX_SAFE_INTEGER);
    expect(clampDepth(-1)).to.equal(0);
  });

  it("refuses more references than the specification allows", () => {
    const ids = (count: number) =>
      Array.from({ length: count }, (_, index) => `$${index}`);
    expect(verdict({ prev_events: ids(20), auth_events: ids(10) })).to.equal(
      "valid",
    );
    expect(verdict({ prev_events: ids(21) })).to.have.property("invalid");
    expect(verdict({ auth_events: ids(11) })).to.have.property("invalid");
  });

  it("asks for the references of its room version", () => {
    const pairs = {
      prev_events: [["$0:s", { sha256: "x" }]],
      event_id: "$1:s",
    };
    expect(verdict(pairs, "2")).to.equal("valid");
    expect(verdict(pairs, "3")).to.have.property("invalid");
    expect(
      verdict({ prev_events: ["$0:s"], event_id: "$1:s" }, "2"),
    ).to.have.property("invalid");
    expect(verdict({ ...pairs, event_id: "$1" }, "2")).to.have.property(
      "invalid",
    );
    expect(verdict({ room_id: `!${HASH}` }, "12")).to.equal("valid");
    expect(verdict({ room_id: "!r:s" }, "12")).to.have.property("invalid");
    expect(verdict({ room_id: `!${HASH}` }, "11")).to.have.property("invalid");
  });

  it("refuses keys of the wrong type or none", () => {
    for (const name of [
      "type",
      "sender",
      "room_id",
      "content",
      "origin_server_ts",
      "depth",
      "prev_events",
      "auth_events",
      "hashes",
      "signatures",
    ]) {
      expect(
        checkEventFormat(rules, without(asJson(pdu), name) as JsonObject, 1),
        name,
      ).to.have.property("invalid");
      expect(verdict({ [name]: 1.5 }), name).to.have.property("invalid");
    }
    for (const changes of [
      { state_key: 1 },
      { redacts: {} },
      { unsigned: [] },
      { hashes: { sha256: 1 } },
      { signatures: { s: "x" } },
      { signatures: { s: { k: 1 } } },
      { prev_events: [1] },
      { sender: "a" },
    ]) {
      expect(verdict(changes), JSON.stringify(changes)).to.have.property(
        "invalid",
      );
    }
  });
});

describe("finishEvent", () => {
  const rules = getRoomRules("12");

  it("row 43: refuses content without canonical form", () => {
    for (const content of [{ a: 1.5 }, { a: 2 ** 53 }, { "\ud800": 1 }]) {
      expect(() => finishEvent(rules, { ...template("12"), content }, key))
        .to.throw()
        .with.property("errcode", "M_BAD_JSON");
    }
  });

  it("row 40: refuses keys that are too long", () => {
    for (const changes of [
      { type: "é".repeat(128) },
      { state_key: "x".repeat(256) },
    ]) {
      expect(() => finishEvent(rules, { ...template("12"), ...changes }, key))
        .to.throw()
        .with.property("errcode", "M_TOO_LARGE");
    }
  });
});
