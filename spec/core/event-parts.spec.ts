import { expect } from "chai";
import fc from "fast-check";
import {
  canonicalJson,
  canonicalJsonAsReceived,
} from "../../src/core/canonical-json.ts";
import { asJson, type EventTemplate, type Pdu } from "../../src/core/event.ts";
import { eventIdOf, roomIdOf } from "../../src/core/event-id.ts";
import {
  mergeEvent,
  mergeEventText,
  splitEvent,
} from "../../src/core/event-parts.ts";
import { finishEvent } from "../../src/core/finish-event.ts";
import { contentHash, referenceHash, sha256 } from "../../src/core/hash.ts";
import { readJson } from "../../src/core/json-reader.ts";
import {
  emptyJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../src/core/json.ts";
import { redact } from "../../src/core/redaction.ts";
import { getRoomRules, roomVersions } from "../../src/core/room-version.ts";
import { privateKeyFromSeed, publicKeyOf } from "../../src/core/signing-key.ts";
import { isSignedPdu } from "../../src/core/signing.ts";
import { json, without } from "./arbitraries.ts";

const CONTENT_KEYS: Record<string, string[]> = {
  "m.room.member": [
    "membership",
    "join_authorised_via_users_server",
    "third_party_invite",
    "displayname",
  ],
  "m.room.create": ["creator", "room_version", "type"],
  "m.room.join_rules": ["join_rule", "allow"],
  "m.room.power_levels": ["ban", "invite", "events", "users", "notifications"],
  "m.room.aliases": ["aliases"],
  "m.room.history_visibility": ["history_visibility"],
  "m.room.redaction": ["redacts", "reason"],
  "m.room.message": ["body", "msgtype"],
  constructor: ["constructor"],
};

const thirdPartyInvite = fc.oneof(
  json,
  fc.dictionary(fc.constantFrom("signed", "display_name"), json, {
    noNullPrototype: false,
  }) as fc.Arbitrary<JsonObject>,
);

const content = (type: string): fc.Arbitrary<JsonObject> =>
  fc
    .array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom(...CONTENT_KEYS[type]!),
          fc.constantFrom("__proto__", "10", "2", "😀", "\uffff", "\u0000"),
        ),
        json,
        thirdPartyInvite,
      ),
      { maxLength: 6 },
    )
    .map((members) => {
      const object = emptyJsonObject();
      for (const [key, value, invite] of members) {
        object[key] = key === "third_party_invite" ? invite : value;
      }
      return object;
    });

const extra = fc.dictionary(
  fc.constantFrom(
    "redacts",
    "state_key",
    "origin",
    "membership",
    "prev_state",
    'a"b',
    "zz",
    "😀",
    "\uffff",
    "1",
  ),
  json,
) as fc.Arbitrary<JsonObject>;

/** An event of any shape; what the form checks would refuse must still survive. */
const event = fc.constantFrom(...Object.keys(CONTENT_KEYS)).chain((type) =>
  fc.record({ more: extra, content: content(type) }).map(
    ({ more, content }) =>
      ({
        ...more,
        type,
        content,
        room_id: "!room:example.org",
        sender: "@alice:example.org",
        origin_server_ts: 1,
        depth: 2,
        prev_events: ["$a"],
        auth_events: [['$"content":{}', { content: {} }]],
        hashes: { sha256: "x" },
        signatures: { "example.org": { "ed25519:1": "y" } },
      }) as unknown as Pdu,
  ),
);

for (const version of roomVersions) {
  const rules = getRoomRules(version);

  describe(`the two parts of an event of room version ${version}`, () => {
    it("row 46: merge to the identical canonical bytes, whatever the type", () => {
      fc.assert(
        fc.property(event, (pdu) => {
          const { skeleton, content } = splitEvent(rules, pdu);
          const whole = canonicalJson(asJson(pdu));
          expect(mergeEventText(skeleton, content)).to.equal(whole);
          expect(canonicalJson(asJson(mergeEvent(skeleton, content)))).to.equal(
            whole,
          );
          expect(skeleton).to.equal(canonicalJson(asJson(redact(rules, pdu))));
        }),
        { numRuns: 30 },
      );
    });

    it("hold in the skeleton what the id and the signatures cover", () => {
      fc.assert(
        fc.property(event, (pdu) => {
          const { skeleton } = splitEvent(rules, pdu);
          const stub = mergeEvent(skeleton, null);
          expect(referenceHash(rules, stub)).to.equal(
            referenceHash(rules, pdu),
          );
          expect(splitEvent(rules, stub)).to.deep.equal({
            skeleton,
            content: null,
          });
        }),
        { numRuns: 10 },
      );
    });

    it("leave out unsigned", () => {
      const pdu = {
        type: "m.x",
        content: {},
        unsigned: { age: 1 },
      } as unknown as Pdu;
      expect(splitEvent(rules, pdu)).to.deep.equal({
        skeleton: '{"content":{},"type":"m.x"}',
        content: null,
      });
    });

    it("come from finishEvent as from splitEvent, with the hash, id and signature of the whole", () => {
      const key = {
        serverName: "example.org",
        keyId: "ed25519:1",
        privateKey: privateKeyFromSeed(Buffer.alloc(32, 7)),
      };
      fc.assert(
        fc.property(event, (pdu) => {
          const rest = without(pdu, "hashes", "signatures");
          const template: EventTemplate = {
            ...rest,
            event_id: "$1:example.org",
            state_key: "",
          };
          const finished = finishEvent(rules, template, key);
          const { skeleton, content } = splitEvent(rules, finished.pdu);
          expect(finished.skeleton).to.equal(skeleton);
          expect(finished.content).to.equal(content);
          expect(finished.eventId).to.equal(eventIdOf(rules, finished.pdu));
          expect(finished.pdu.hashes.sha256).to.equal(
            contentHash(rules, template),
          );
          const { privateKey, serverName, keyId } = key;
          expect(
            isSignedPdu(
              rules,
              redact(rules, finished.pdu),
              serverName,
              keyId,
              publicKeyOf(privateKey),
            ),
          ).to.equal(true);
        }),
        { numRuns: 4 },
      );
    });
  });
}

describe("contentHash", () => {
  it("covers the canonical JSON without unsigned, signatures and hashes", () => {
    fc.assert(
      fc.property(event, fc.constantFrom(...roomVersions), (pdu, version) => {
        const rest = without(pdu, "hashes", "signatures");
        const oracle = canonicalJson(asJson(rest));
        const bare = getRoomRules(version);
        expect(contentHash(bare, { ...pdu, unsigned: { x: 1 } })).to.equal(
          sha256(oracle),
        );
        expect(contentHash(bare, pdu)).to.equal(sha256(oracle));
      }),
    );
  });
});

describe("events with numbers that are no canonical integers", () => {
  it("row 43: keep them through both parts, in room versions that allow them", () => {
    const text =
      '{"content":{"ban":50.0,"events":{"a":1e2},"x":[-0,9223372036854775808]},"depth":1.20E+1,"type":"m.room.power_levels","zz":1.0}';
    const pdu = readJson(text, { numbers: "keep-tokens" }) as unknown as Pdu;
    const rules = getRoomRules("5");
    const { skeleton, content } = splitEvent(rules, pdu);
    expect(skeleton).to.equal(
      '{"content":{"ban":50.0,"events":{"a":1e2}},"depth":1.20E+1,"type":"m.room.power_levels"}',
    );
    expect(content).to.equal(
      '{"content":{"x":[-0,9223372036854775808]},"zz":1.0}',
    );
    expect(mergeEventText(skeleton, content)).to.equal(text);
    expect(
      canonicalJsonAsReceived(asJson(mergeEvent(skeleton, content))),
    ).to.equal(text);
    expect(contentHash(rules, pdu)).to.equal(sha256(text));
    expect(() => splitEvent(getRoomRules("6"), pdu)).to.throw();
  });
});

describe("event ids", () => {
  const pdu = {
    type: "m.room.create",
    content: { a: 1 },
    event_id: "$1:a",
  } as unknown as Pdu;

  it("take the form of their room version", () => {
    const format = (version: string) => eventIdOf(getRoomRules(version), pdu);
    expect(format("1")).to.equal("$1:a");
    expect(format("2")).to.equal("$1:a");
    expect(format("3")).to.match(/^\$[A-Za-z0-9+/]{43}$/);
    for (const version of roomVersions.slice(3)) {
      expect(format(version)).to.match(/^\$[\w-]{43}$/);
    }
    expect(format("4")).to.equal(
      format("3").replaceAll("+", "-").replaceAll("/", "_"),
    );
    expect(() =>
      eventIdOf(getRoomRules("1"), without(pdu, "event_id")),
    ).to.throw("event_id");
  });

  it("are room ids where the create event's hash is the room's id", () => {
    const v12 = getRoomRules("12");
    expect(roomIdOf(v12, pdu, "$abc")).to.equal("!abc");
    expect(roomIdOf(v12, { type: "m.x", room_id: "!r" }, "$abc")).to.equal(
      "!r",
    );
    expect(() => roomIdOf(v12, { type: "m.x" }, "$abc")).to.throw("room_id");
    expect(() => roomIdOf(getRoomRules("11"), pdu, "$abc")).to.throw("room_id");
  });
});

describe("mergeEventText", () => {
  it("takes time linear to the number of members", () => {
    const members = Object.fromEntries(
      Array.from({ length: 9_000 }, (_, index) => [`x${index}`, 1]),
    ) as Record<string, JsonValue>;
    const pdu = { ...members, type: "m.x", content: {} } as unknown as Pdu;
    const { skeleton, content } = splitEvent(getRoomRules("12"), pdu);
    expect(mergeEventText(skeleton, content)).to.equal(
      canonicalJson(asJson(pdu)),
    );
    expect(contentHash(getRoomRules("12"), pdu)).to.equal(
      sha256(canonicalJson(asJson(pdu))),
    );
  });
});
