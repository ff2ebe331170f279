import { expect } from "chai";
import nacl from "tweetnacl";
import { decodeBase64, encodeBase64 } from "../../src/core/base64.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import type { Pdu } from "../../src/core/event.ts";
import { finishEvent } from "../../src/core/finish-event.ts";
import { contentHash, isSameHash } from "../../src/core/hash.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { getRoomRules } from "../../src/core/room-version.ts";
import {
  findPublicKey,
  privateKeyFromSeed,
  publicKeyOf,
} from "../../src/core/signing-key.ts";
import {
  isSignedJson,
  isSignedPdu,
  isSignedText,
  listSigningKeyIds,
  signJson,
  signPdu,
  signText,
} from "../../src/core/signing.ts";
import { without } from "./arbitraries.ts";

const SEED = decodeBase64("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1")!;
const key = {
  serverName: "domain",
  keyId: "ed25519:1",
  privateKey: privateKeyFromSeed(SEED),
};
const publicKey = publicKeyOf(key.privateKey);
const v1 = getRoomRules("1");
const parse = (text: string) => JSON.parse(text) as JsonObject;

describe("base64", () => {
  it("writes the specification's examples", () => {
    const examples = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"];
    for (const [length, encoded] of examples.entries()) {
      const text = "foobar".slice(0, length);
      expect(encodeBase64(Buffer.from(text))).to.equal(encoded);
      expect(decodeBase64(encoded)?.toString()).to.equal(text);
      const padded = Buffer.from(text).toString("base64");
      expect(decodeBase64(padded)?.toString()).to.equal(text);
    }
  });

  it("reads either alphabet and nothing else", () => {
    expect(decodeBase64("-_-_")).to.deep.equal(decodeBase64("+/+/"));
    for (const text of [
      "a",
      "ab=c",
      "abcde",
      "a b",
      "ab\n",
      "é",
      "+_ab",
      "ab===",
    ]) {
      expect(decodeBase64(text), text).to.equal(undefined);
    }
  });
});

describe("signJson", () => {
  it("signs the specification's examples", () => {
    expect(canonicalJson(signJson({}, key))).to.equal(
      '{"signatures":{"domain":{"ed25519:1":"K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"}}}',
    );
    const signed = signJson({ one: 1, two: "Two" }, key);
    expect(canonicalJson(signed)).to.equal(
      '{"one":1,"signatures":{"domain":{"ed25519:1":"KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"}},"two":"Two"}',
    );
    expect(isSignedJson(signed, "domain", "ed25519:1", publicKey)).to.equal(
      true,
    );
  });

  it("keeps other signatures and unsigned, and covers neither", () => {
    const first = signJson({ a: 1, unsigned: { age: 1 } }, key);
    const both = signJson(first, {
      ...key,
      serverName: "other",
      keyId: "ed25519:2",
    });
    const changed = { ...both, unsigned: { age: 2 } };
    expect(isSignedJson(changed, "domain", "ed25519:1", publicKey)).to.equal(
      true,
    );
    expect(isSignedJson(changed, "other", "ed25519:2", publicKey)).to.equal(
      true,
    );
    expect(first["signatures"]).not.to.have.property("other");
  });

  it("finds no signature under names that every object inherits", () => {
    const object = parse('{"signatures":{"domain":{}}}');
    for (const name of ["constructor", "__proto__", "toString"]) {
      expect(isSignedJson(object, name, "name", publicKey)).to.equal(false);
      expect(isSignedJson(object, "domain", name, publicKey)).to.equal(false);
      expect(listSigningKeyIds(object["signatures"], name)).to.deep.equal([]);
    }
    for (const signatures of [null, [], "x", { domain: "ed25519:1" }]) {
      expect(
        isSignedJson({ signatures }, "domain", "ed25519:1", publicKey),
      ).to.equal(false);
    }
  });
});

describe("isSignedText", () => {
  const pair = nacl.sign.keyPair.fromSeed(SEED);

  it("agrees with tweetnacl on keys and signatures", () => {
    expect(publicKey).to.equal(encodeBase64(pair.publicKey));
    for (const text of ["", "a", "é😀\u0000", "x".repeat(70_000)]) {
      const oracle = encodeBase64(
        nacl.sign.detached(Buffer.from(text), pair.secretKey),
      );
      expect(signText(text, key.privateKey)).to.equal(oracle);
      expect(isSignedText(text, oracle, publicKey)).to.equal(true);
    }
  }).timeout(10_000);

  it("accepts padding and refuses any other change", () => {
    const signature = signText("text", key.privateKey);
    expect(isSignedText("text", `${signature}==`, `${publicKey}=`)).to.equal(
      true,
    );
    expect(isSignedText("texT", signature, publicKey)).to.equal(false);
    for (const other of [
      "",
      "x",
      signature.slice(1),
      `${signature}AA`,
      `!${signature}`,
    ]) {
      expect(isSignedText("text", other, publicKey), other).to.equal(false);
    }
    for (const other of ["", "AAAA", publicKey.slice(2), "é"]) {
      expect(isSignedText("text", signature, other), other).to.equal(false);
    }
    const flipped = Buffer.from(signature, "base64");
    flipped[10]! ^= 1;
    expect(isSignedText("text", encodeBase64(flipped), publicKey)).to.equal(
      false,
    );
  });

  it("makes a key object once per published key", () => {
    expect(findPublicKey(publicKey)).to.equal(findPublicKey(publicKey));
  });
});

describe("event signing", () => {
  const minimal = parse(`{
    "room_id": "!x:domain", "sender": "@a:domain", "origin": "domain", "origin_server_ts": 1000000,
    "signatures": {}, "hashes": {}, "type": "X", "content": {}, "prev_events": [], "auth_events": [],
    "depth": 3, "unsigned": {"age_ts": 1000000}}`);
  const redactable = parse(`{
    "content": {"body": "Here is the message content"}, "event_id": "$0:domain", "origin": "domain",
    "origin_server_ts": 1000000, "type": "m.room.message", "room_id": "!r:domain", "sender": "@u:domain",
    "signatures": {}, "unsigned": {"age_ts": 1000000}}`);
  const vectors: [string, JsonObject, string, string][] = [
    [
      "the minimal event",
      minimal,
      "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos",
      "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg",
    ],
    [
      "the event with redactable content",
      redactable,
      "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g",
      "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA",
    ],
  ];
  for (const [name, event, sha256, signature] of vectors) {
    it(`hashes and signs ${name} of the specification`, () => {
      const pdu = event as unknown as Pdu;
      expect(contentHash(v1, pdu)).to.equal(sha256);
      const signed = signPdu(v1, { ...pdu, hashes: { sha256 } }, key);
      expect(signed.signatures).to.have.nested.property(
        "domain.ed25519:1",
        signature,
      );
      expect(
        isSignedPdu(v1, signed, "domain", "ed25519:1", publicKey),
      ).to.equal(true);
      expect(
        isSignedPdu(
          v1,
          { ...signed, sender: "@b:domain" },
          "domain",
          "ed25519:1",
          publicKey,
        ),
      ).to.equal(false);
    });

    it(`finishes ${name} to the same hash and signature`, () => {
      const template = without(
        event as unknown as Pdu,
        "hashes",
        "signatures",
        "unsigned",
      );
      if (template.event_id === undefined) {
        // The id of this room version is part of the event, and the vector has none.
        expect(() => finishEvent(v1, template, key)).to.throw("event_id");
        return;
      }
      const { pdu, eventId } = finishEvent(v1, template, key);
      expect(pdu.hashes).to.deep.equal({ sha256 });
      expect(pdu.signatures).to.deep.equal({
        domain: { "ed25519:1": signature },
      });
      expect(eventId).to.equal("$0:domain");
    });
  }
});

describe("isSameHash", () => {
  it("compares what base64 says, not how", () => {
    const calculated = "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos";
    for (const received of [
      calculated,
      `${calculated}=`,
      calculated.replace("+", "-"),
    ]) {
      expect(isSameHash(received, calculated)).to.equal(true);
    }
    for (const received of [
      "",
      calculated.slice(0, -1),
      calculated.toLowerCase(),
      "é",
    ]) {
      expect(isSameHash(received, calculated)).to.equal(false);
    }
  });
});
