import { expect } from "chai";
import fc from "fast-check";
import { MatrixError } from "../../src/core/errors.ts";
import { readJson, type JsonLimits } from "../../src/core/json-reader.ts";
import type { JsonObject } from "../../src/core/json.ts";

const bytes = (text: string) => Buffer.from(text);

function errcodeOf(input: Uint8Array | string, limits?: JsonLimits): string {
  try {
    readJson(input, limits);
  } catch (error) {
    if (error instanceof MatrixError) return error.errcode;
    throw error;
  }
  return "none";
}

describe("readJson", () => {
  it("reads what JSON.parse reads", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        const wanted = JSON.stringify(JSON.parse(text));
        for (const numbers of ["double", "keep-tokens"] as const) {
          expect(JSON.stringify(readJson(bytes(spaced), { numbers }))).to.equal(
            wanted,
          );
          expect(JSON.stringify(readJson(spaced, { numbers }))).to.equal(
            wanted,
          );
        }
      }),
    );
  });

  it("refuses what is no JSON", () => {
    for (const text of [
      "",
      "{",
      "[1,]",
      "{a:1}",
      "{'a':1}",
      '{"a":1}}',
      '"\n"',
      "NaN",
      "[Infinity]",
      "01",
      "+1",
      "1.",
      "--1",
      '"\\x"',
      '"open',
      '"open\\"',
      "\ufeff{}",
      "nul",
    ]) {
      expect(errcodeOf(bytes(text)), text).to.equal("M_NOT_JSON");
    }
  });

  it("refuses what is no UTF-8", () => {
    for (const hex of [
      "22ff22",
      "22c08022",
      "22eda08022",
      "22f8888080802222",
      "22c3",
    ]) {
      expect(errcodeOf(Buffer.from(hex, "hex")), hex).to.equal("M_NOT_JSON");
    }
  });

  it("row 41: refuses lone surrogates, raw and escaped, in values and keys", () => {
    for (const text of [
      '"\ud800"',
      String.raw`"\ud800"`,
      String.raw`["\uDC00\uD800"]`,
      String.raw`{"\udbff":1}`,
      String.raw`{"a":{"b":["x\ud83dx"]}}`,
    ]) {
      expect(errcodeOf(text), text).to.equal("M_BAD_JSON");
    }
    expect(readJson(String.raw`"\ud83d\ude00 \\ud800"`)).to.equal("😀 \\ud800");
  });

  it("row 42: keeps NUL in strings", () => {
    expect(readJson(String.raw`{"a\u0000":"\u0000"}`)).to.have.property(
      "a\u0000",
      "\u0000",
    );
  });

  it("row 44: lets the last of duplicate keys win", () => {
    for (const numbers of ["double", "keep-tokens"] as const) {
      const value = readJson('{"a":1.0,"b":2,"a":3}', { numbers });
      expect(JSON.stringify(value)).to.equal('{"a":3,"b":2}');
    }
  });

  it("row 45: reads __proto__, constructor and toString as ordinary keys", () => {
    const text =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1.0}';
    for (const numbers of ["double", "keep-tokens"] as const) {
      const value = readJson(text, { numbers }) as JsonObject;
      expect(Object.getPrototypeOf(value)).to.equal(null);
      expect(Object.getPrototypeOf(value["__proto__"])).to.equal(null);
      expect(JSON.stringify(value)).to.equal(text.replace("1.0", "1"));
      expect(({} as Record<string, unknown>)["polluted"]).to.equal(undefined);
    }
  });

  it("row 43: refuses numbers beyond a double in every mode", () => {
    for (const token of ["1e400", "-1e400", "1e131071", "9".repeat(400)]) {
      for (const numbers of [
        "double",
        "keep-tokens",
        "strict-integers",
      ] as const) {
        expect(errcodeOf(`[{"a":[${token}]}]`, { numbers })).to.equal(
          "M_BAD_JSON",
        );
      }
    }
  });

  it("CVE-2025-30355 row 43: takes only canonical integers where the room version asks", () => {
    const limits = { numbers: "strict-integers" } as const;
    for (const token of [
      "1.0",
      "1.5",
      "1e5",
      "1E5",
      "1e-2",
      "-0",
      "-0.0",
      "0.0",
      "9007199254740992",
      "-9007199254740992",
      "9007199254740993",
      "9223372036854775807",
      "1" + "0".repeat(30),
    ]) {
      for (const text of [
        token,
        `[${token}]`,
        `{"a":"1e5","b":${token}}`,
        `${token} `,
      ]) {
        expect(errcodeOf(text, limits), text).to.equal("M_BAD_JSON");
      }
    }
    for (const token of [
      "0",
      "-1",
      "10",
      "9007199254740991",
      "-9007199254740991",
    ]) {
      expect(readJson(`[${token}]`, limits)).to.deep.equal([Number(token)]);
    }
    const string = '"1.5e5, -0 and \\"9007199254740993\\" in words"';
    expect(readJson(string, limits)).to.equal(JSON.parse(string));
  });
});

describe("readJson with bombs", () => {
  it("row 38 CVE-2020-26890: refuses a million levels without recursion", () => {
    const deep = bytes("[".repeat(1_000_000) + "]".repeat(1_000_000));
    expect(errcodeOf(deep)).to.equal("M_TOO_LARGE");
    expect(errcodeOf(deep, { maxBytes: Infinity })).to.equal("M_BAD_JSON");
    const objects = '{"a":'.repeat(200_000);
    expect(errcodeOf(objects)).to.equal("M_BAD_JSON");
  });

  it("takes exactly as many levels as it may", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(errcodeOf(nested(100))).to.equal("none");
    expect(errcodeOf(nested(101))).to.equal("M_BAD_JSON");
    expect(errcodeOf(`["${"[{".repeat(200)}\\"[["]`)).to.equal("none");
  });

  it("row 38: reads a PDU of any depth within its bytes", () => {
    const text = "[".repeat(32_768) + "]".repeat(32_768);
    const limits = { maxDepth: Infinity, maxBytes: 65_536 };
    for (const numbers of ["strict-integers", "keep-tokens"] as const) {
      expect(errcodeOf(text, { ...limits, numbers })).to.equal("none");
    }
    const odd = "[".repeat(20_000) + "1.0" + "]".repeat(20_000);
    expect(errcodeOf(odd, { ...limits, numbers: "keep-tokens" })).to.equal(
      "none",
    );
  });

  it("row 39: refuses too many members or elements before it parses them", () => {
    const members = Array.from(
      { length: 60_000 },
      (_, index) => `"${index}":1`,
    );
    expect(errcodeOf(`{${members.join(",")}}`)).to.equal("M_TOO_LARGE");
    expect(errcodeOf(`[${"[],".repeat(60_000)}1]`)).to.equal("M_TOO_LARGE");
    expect(errcodeOf("[1,2,3]", { maxKeys: 3 })).to.equal("none");
    expect(errcodeOf("[1,2,3]", { maxKeys: 2 })).to.equal("M_TOO_LARGE");
  });

  it("row 40: counts bytes, not UTF-16 units", () => {
    const text = `"${"é".repeat(10)}"`;
    for (const input of [text, bytes(text)]) {
      expect(errcodeOf(input, { maxBytes: 22 })).to.equal("none");
      expect(errcodeOf(input, { maxBytes: 21 })).to.equal("M_TOO_LARGE");
    }
  });

  it("looks at each backslash of a long escape once", () => {
    const text = `"${'\\\\\\"'.repeat(100_000)}"`;
    expect(readJson(text)).to.have.length(200_000);
    const evenRun = `"${"\\\\".repeat(200_000)}"`;
    expect(readJson(evenRun)).to.have.length(200_000);
  });
});
