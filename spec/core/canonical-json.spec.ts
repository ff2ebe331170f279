import { readFileSync } from "node:fs";
import { expect } from "chai";
import fc from "fast-check";
import {
  canonicalJson,
  canonicalJsonAsReceived,
} from "../../src/core/canonical-json.ts";
import { MatrixError } from "../../src/core/errors.ts";
import { readJson } from "../../src/core/json-reader.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { json } from "./arbitraries.ts";

const codePoints = (text: string) => [...text].map((c) => c.codePointAt(0)!);

/** The obvious way: sort the members by their code points, then write them. */
function reference(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(reference).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => {
    const [left, right] = [codePoints(a), codePoints(b)];
    const at = left.findIndex((point, index) => point !== right[index]);
    return at === -1
      ? left.length - right.length
      : left[at]! - (right[at] ?? -1);
  });
  return `{${members
    .map(([name, item]) => `${JSON.stringify(name)}:${reference(item)}`)
    .join(",")}}`;
}

describe("canonicalJson", () => {
  const vectors: [string, string][] = [
    ["{}", "{}"],
    ['{"one": 1, "two": "Two"}', '{"one":1,"two":"Two"}'],
    ['{"b": "2", "a": "1"}', '{"a":"1","b":"2"}'],
    ['{"b":"2","a":"1"}', '{"a":"1","b":"2"}'],
    [
      `{"auth":{"success":true,"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[
        {"medium":"email","address":"john.doe@example.org"},{"medium":"msisdn","address":"123456789"}]}}}`,
      '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}',
    ],
    ['{"a": "日本語"}', '{"a":"日本語"}'],
    ['{"本": 2, "日": 1}', '{"日":1,"本":2}'],
    [String.raw`{"a": "\u65E5"}`, '{"a":"日"}'],
    ['{"a": null}', '{"a":null}'],
    ['{"a": -0, "b": 1e10}', '{"a":0,"b":10000000000}'],
  ];
  for (const [given, wanted] of vectors) {
    it(`writes the specification's example ${given.slice(0, 40)}`, () => {
      expect(canonicalJson(readJson(given))).to.equal(wanted);
    });
  }

  it("row 44: sorts by code point, whatever the keys look like", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value)).to.equal(reference(value));
      }),
    );
    expect(canonicalJson({ "😀": 1, "\uffff": 2, "10": 3, "2": 4 })).to.equal(
      '{"10":3,"2":4,"\uffff":2,"😀":1}',
    );
  });

  it("row 44: writes what Python's canonicaljson 2.0.0 wrote of the same", () => {
    const lines = readFileSync(
      "spec/core/canonical-json.vectors.jsonl",
      "utf8",
    );
    const pairs = lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as [given: string, wanted: string]);
    expect(pairs.length).to.be.above(100);
    for (const [given, wanted] of pairs) {
      expect(canonicalJson(readJson(given))).to.equal(wanted);
      const numbers = "keep-tokens";
      const kept = canonicalJsonAsReceived(readJson(given, { numbers }));
      expect(kept).to.equal(wanted);
    }
  });

  it("round-trips through the reader to the same bytes", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        const strict = readJson(text, { numbers: "strict-integers" });
        expect(canonicalJson(strict)).to.equal(text);
        const kept = readJson(text, { numbers: "keep-tokens" });
        expect(canonicalJsonAsReceived(kept)).to.equal(text);
      }),
    );
  });

  it("escapes as shortly as can be", () => {
    expect(
      canonicalJson('\u0000\b\t\n\f\r\u000b\u001f"\\/\u007f\u2028é😀'),
    ).to.equal(
      String.raw`"\u0000\b\t\n\f\r\u000b\u001f\"\\/` + '\u007f\u2028é😀"',
    );
  });

  it("row 43: refuses numbers that are no integers within ±(2^53−1)", () => {
    for (const number of [2 ** 53, -(2 ** 53), 1.5, 1e21, NaN, Infinity]) {
      expect(() => canonicalJson({ a: [number] }))
        .to.throw(MatrixError)
        .with.property("errcode", "M_BAD_JSON");
    }
    expect(canonicalJson([2 ** 53 - 1, -(2 ** 53) + 1])).to.equal(
      "[9007199254740991,-9007199254740991]",
    );
  });

  it("row 41: refuses lone surrogates in values and keys", () => {
    for (const value of ["\ud800", "a\udc00b", { "\udfff": 1 }]) {
      expect(() => canonicalJson(value)).to.throw(MatrixError);
    }
  });

  it("CVE-2022-31052 row 38: writes any depth without overflowing the stack", () => {
    let value: JsonValue = { b: "x", a: [1.0] };
    for (let depth = 0; depth < 20_000; depth++) {
      value = depth % 2 === 0 ? [value] : { "10": 1, "2": value };
    }
    const text = canonicalJson(value);
    expect(text).to.have.length(
      '{"a":[1],"b":"x"}'.length + 10_000 * 2 + 10_000 * '{"10":1,"2":}'.length,
    );
    expect(text.startsWith('{"10":1,"2":[{"10":1,"2":[')).to.equal(true);
  });

  it("is the same on either side of the depth where it changes its way", () => {
    let value: JsonValue = [];
    let wanted = "[]";
    for (let depth = 0; depth < 130; depth++) {
      value = { z: 1, a: [value, "\n"] };
      wanted = String.raw`{"a":[${wanted},"\n"],"z":1}`;
      expect(canonicalJson(value)).to.equal(wanted);
    }
  });
});

describe("canonicalJsonAsReceived", () => {
  it("row 43: writes number tokens as they came", () => {
    const text =
      '{"a":1.0,"b":[1e5,-0,{"c":9007199254740993}],"d":1E+2,"e":1.50,"f":12}';
    const value = readJson(text, { numbers: "keep-tokens" });
    expect(canonicalJsonAsReceived(value)).to.equal(text);
  });

  it("forgets the token of a member that was replaced", () => {
    const value = readJson('{"a":1.0}', { numbers: "keep-tokens" });
    (value as Record<string, JsonValue>)["a"] = 2;
    expect(canonicalJsonAsReceived(value)).to.equal('{"a":2}');
  });
});
