import { expect } from "chai";
import {
  findProperty,
  parsePropertyPath,
} from "../../../src/core/push/property-path.ts";

describe("parsePropertyPath", () => {
  const cases: [path: string, names: string[]][] = [
    ["content.body", ["content", "body"]],
    ["content.m\\.relates_to", ["content", "m.relates_to"]],
    ["content.m\\\\foo", ["content", "m\\foo"]],
    ["a\\\\.b", ["a\\", "b"]],
    ["a\\x", ["a\\x"]],
    ["a\\", ["a\\"]],
    ["a..b", ["a", "", "b"]],
    ["", [""]],
  ];
  for (const [path, names] of cases) {
    it(`splits ${JSON.stringify(path)}`, () => {
      expect(parsePropertyPath(path)).to.deep.equal(names);
    });
  }
});

describe("findProperty", () => {
  it("finds own properties only, and none of arrays or strings", () => {
    const object = { list: [1], text: "x", "": { null: null } };
    expect(findProperty(object, ".null")).to.equal(null);
    for (const path of [
      "toString",
      "list.0",
      "list.length",
      "text.length",
      "x.y",
    ]) {
      expect(findProperty(object, path)).to.equal(undefined);
    }
  });
});
