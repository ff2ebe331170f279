import { expect } from "chai";
import { MatrixError } from "../../src/core/errors.ts";
import {
  isCompliantUserId,
  isCreateHashRoomId,
  isDeviceId,
  isEventId,
  isRoomAlias,
  isRoomId,
  isUserId,
  localpartOf,
  parseNewUserId,
  parseUserId,
  serverNameOf,
  type RoomAlias,
} from "../../src/core/ids.ts";
import { isServerName, parseServerName } from "../../src/core/server-name.ts";

const HASH = "Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ";

describe("server names", () => {
  for (const [name, kind, host, port] of [
    ["matrix.org", "dns", "matrix.org", undefined],
    ["matrix.org:8888", "dns", "matrix.org", 8888],
    ["1.2.3.4", "ipv4", "1.2.3.4", undefined],
    ["1.2.3.4:1234", "ipv4", "1.2.3.4", 1234],
    ["[1234:5678::abcd]", "ipv6", "1234:5678::abcd", undefined],
    ["[1234:5678::abcd]:5678", "ipv6", "1234:5678::abcd", 5678],
    ["[::]", "ipv6", "::", undefined],
    ["[::ffff:1.2.3.4]", "ipv6", "::ffff:1.2.3.4", undefined],
    ["[1:2:3:4:5:6:1.2.3.4]", "ipv6", "1:2:3:4:5:6:1.2.3.4", undefined],
    ["localhost", "dns", "localhost", undefined],
    ["1.2.3.256", "dns", "1.2.3.256", undefined],
    ["xn--bcher-kva.example", "dns", "xn--bcher-kva.example", undefined],
    ["MATRIX.org", "dns", "MATRIX.org", undefined],
  ] as const) {
    it(`reads ${name}`, () => {
      expect(parseServerName(name)).to.deep.equal({ kind, host, port });
    });
  }

  it("refuses what the grammar does not have", () => {
    for (const name of [
      "",
      ":80",
      "a:",
      "a:123456",
      "a:b",
      "a b",
      "a/b",
      "a@b",
      "bücher.example",
      "a\u0000",
      "a\n",
      "a_b",
      "[]",
      "[::",
      "[:::]",
      "[1::2::3]",
      "[1:2:3:4:5:6:7]",
      "[1:2:3:4:5:6:7:8:9]",
      "[1:2:3:4:5:6:7::8]",
      "[12345::]",
      "[1.2.3.4]",
      "[1.2.3.4::]",
      "[::1.2.3.256]",
      "[::1%eth0]",
      "x".repeat(256),
    ]) {
      expect(isServerName(name), name).to.equal(false);
    }
  });
});

describe("ids", () => {
  it("row 40: have at most 255 bytes, whatever characters they are of", () => {
    for (const character of ["a", "é", "語", "😀"]) {
      const size = Buffer.byteLength(character);
      for (const [sigil, end, check] of [
        ["@", ":s", isUserId],
        ["#", ":s", isRoomAlias],
        ["!", ":s", isRoomId],
        ["$", ":s", isEventId],
        ["!", "", isRoomId],
        ["$", "", isEventId],
        ["", "", isDeviceId],
      ] as const) {
        const room = 255 - sigil.length - end.length;
        const body =
          character.repeat(Math.floor(room / size)) + "a".repeat(room % size);
        const longest = `${sigil}${body}${end}`;
        expect(Buffer.byteLength(longest)).to.equal(255);
        expect(check(longest), longest).to.equal(true);
        expect(check(`${sigil}a${body}${end}`), "256").to.equal(false);
      }
    }
  });

  it("rows 41 and 42: hold no NUL and no lone surrogate", () => {
    for (const [id, check] of [
      ["@a\u0000:s", isUserId],
      ["#a\ud800:s", isRoomAlias],
      ["!a\udc00:s", isRoomId],
      ["!a\u0000", isRoomId],
      ["$a\u0000", isEventId],
      ["D\u0000", isDeviceId],
    ] as const) {
      expect(check(id), JSON.stringify(id)).to.equal(false);
    }
  });

  it("need their sigil and what follows it", () => {
    for (const id of [
      "",
      "a:s",
      "@a",
      "@a:",
      "#a:s",
      "@a:b:c:d",
      "@:",
      "a@b:s",
    ]) {
      expect(isUserId(id), id).to.equal(false);
    }
    for (const id of ["", "!", "$a", "a", "!a:", "!a: "]) {
      expect(isRoomId(id), id).to.equal(false);
    }
    for (const id of ["", "$", "!a"]) expect(isEventId(id), id).to.equal(false);
    for (const id of ["#", "#a", "#a:", "@a:s"]) {
      expect(isRoomAlias(id), id).to.equal(false);
    }
    expect(isDeviceId("")).to.equal(false);
  });

  it("row 51: accept historical user ids and tell them from compliant ones", () => {
    for (const id of ["@:s", "@A b:s", "@é:s", "@\u0001:s", "@\u007f:s"]) {
      expect(isUserId(id), id).to.equal(true);
      expect(isCompliantUserId(id), id).to.equal(false);
    }
    for (const id of ["@a:s", "@A!:s", "@a/b=c+d._-:[::1]:80"]) {
      expect(isCompliantUserId(id), id).to.equal(true);
    }
    expect(() => parseUserId("a")).to.throw(MatrixError);
  });

  it("row 51: give new accounts only names that cannot be mistaken", () => {
    expect(parseNewUserId("a.b_c=d-e/f+0", "s")).to.equal("@a.b_c=d-e/f+0:s");
    for (const localpart of [
      "",
      "A",
      "é",
      "аlice",
      "a b",
      "a:b",
      "a\u0000",
      "a*",
      "a".repeat(253),
      "ａ",
    ]) {
      expect(() => parseNewUserId(localpart, "s"), localpart)
        .to.throw(MatrixError)
        .with.property("errcode", "M_INVALID_USERNAME");
    }
    expect(parseNewUserId("a".repeat(252), "s")).to.have.length(255);
  });

  it("of rooms may have no domain, and then lead to no server", () => {
    expect(isRoomId(`!${HASH}`)).to.equal(true);
    expect(isCreateHashRoomId(`!${HASH}`)).to.equal(true);
    expect(isCreateHashRoomId(`!${HASH}:s`)).to.equal(false);
    expect(isCreateHashRoomId(`!${HASH}a`)).to.equal(false);
    expect(serverNameOf(`!${HASH}`)).to.equal(undefined);
    expect(serverNameOf("@a:[::1]:80")).to.equal("[::1]:80");
    expect(localpartOf("#x y:s:80" as RoomAlias)).to.equal("x y");
  });

  it("row 47: of events may hold slashes and question marks", () => {
    expect(isEventId("$a/b?c+d")).to.equal(true);
    expect(isRoomAlias("#a/b?c%2f:s")).to.equal(true);
  });
});
