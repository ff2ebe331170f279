import { expect } from "chai";
import fc from "fast-check";
import { canonicalJsonAsReceived } from "../../src/core/canonical-json.ts";
import {
  clientEvent,
  closeClientEvent,
  openClientEvent,
  openClientText,
  strippedStateEvent,
} from "../../src/core/client-event.ts";
import { asJson, type Pdu } from "../../src/core/event.ts";
import { readJson } from "../../src/core/json-reader.ts";
import { getRoomRules } from "../../src/core/room-version.ts";
import { json } from "./arbitraries.ts";

const pdu = (changes: object): Pdu =>
  ({
    type: "m.room.message",
    sender: "@a:s",
    room_id: "!r:s",
    content: { body: "é\u0000" },
    origin_server_ts: 5,
    depth: 3,
    prev_events: [],
    auth_events: [],
    hashes: { sha256: "x" },
    signatures: {},
    unsigned: { age: 1 },
    origin: "s",
    ...changes,
  }) as unknown as Pdu;

describe("client events", () => {
  const rules = getRoomRules("11");

  it("show what clients may see and nothing of the federation format", () => {
    const open = openClientEvent(rules, "$1", pdu({ state_key: "" }));
    const base = {
      type: "m.room.message",
      sender: "@a:s",
      content: { body: "é\u0000" },
      origin_server_ts: 5,
      event_id: "$1",
      state_key: "",
    };
    expect(JSON.parse(closeClientEvent(open, {}))).to.deep.equal(base);
    expect(
      JSON.parse(
        closeClientEvent(open, { roomId: '!"r:s', unsigned: '{"age":2}' }),
      ),
    ).to.deep.equal({ ...base, room_id: '!"r:s', unsigned: { age: 2 } });
  });

  it("are the same from an event's canonical text", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(
        fc.constantFrom("1", "6", "11"),
        fc.oneof(text, fc.constant("m.room.redaction")),
        fc.option(text, { nil: undefined }),
        fc.dictionary(text, json),
        (version, type, stateKey, content) => {
          const event = pdu({
            type,
            content,
            redacts: "$0",
            unsigned: undefined,
            ...(stateKey !== undefined && { state_key: stateKey }),
          });
          delete event.unsigned;
          const ofVersion = getRoomRules(version);
          expect(
            openClientText(
              ofVersion,
              "$1",
              canonicalJsonAsReceived(asJson(event)),
            ),
          ).to.equal(openClientEvent(ofVersion, "$1", event));
        },
      ),
    );
  });

  it("have redacts at the top level and in content, whatever the room version", () => {
    for (const [version, event] of [
      [
        "10",
        pdu({
          type: "m.room.redaction",
          content: { reason: "r" },
          redacts: "$0",
        }),
      ],
      [
        "11",
        pdu({
          type: "m.room.redaction",
          content: { reason: "r", redacts: "$0" },
        }),
      ],
      [
        "10",
        pdu({
          type: "m.room.redaction",
          content: { reason: "r", redacts: "$wrong" },
          redacts: "$0",
        }),
      ],
      [
        "11",
        pdu({
          type: "m.room.redaction",
          content: { reason: "r", redacts: "$0" },
          redacts: "$wrong",
        }),
      ],
    ] as const) {
      const shown = clientEvent(getRoomRules(version), "$1", event);
      expect(shown).to.have.property("redacts", "$0");
      expect(JSON.stringify(shown["content"])).to.equal(
        '{"reason":"r","redacts":"$0"}',
      );
    }
  });

  it("have no redacts where there is none, or the event is no redaction", () => {
    const redaction = pdu({
      type: "m.room.redaction",
      content: { redacts: 1 },
    });
    expect(clientEvent(rules, "$1", redaction)).not.to.have.property("redacts");
    const message = pdu({ content: { redacts: "$0" }, redacts: "$0" });
    expect(clientEvent(rules, "$1", message)).not.to.have.property("redacts");
  });

  it("row 38: survive content of any depth", () => {
    const content = readJson(
      `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
      { maxDepth: Infinity },
    );
    expect(openClientEvent(rules, "$1", pdu({ content }))).to.include("[[[[");
  });

  it("row 45: keep odd keys of redactions' content", () => {
    const content = readJson('{"__proto__":{"a":1},"redacts":"$x"}');
    const event = pdu({ type: "m.room.redaction", content, redacts: "$0" });
    const shown = clientEvent(getRoomRules("1"), "$1", event);
    expect(JSON.stringify(shown["content"])).to.equal(
      '{"__proto__":{"a":1},"redacts":"$0"}',
    );
  });
});

describe("strippedStateEvent", () => {
  it("has the four keys of stripped state", () => {
    const stripped = strippedStateEvent(pdu({ state_key: "k" }));
    expect(Object.keys(stripped).sort()).to.deep.equal([
      "content",
      "sender",
      "state_key",
      "type",
    ]);
  });
});
