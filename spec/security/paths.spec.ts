import { expect } from "chai";
import { MatrixError } from "../../src/core/errors.ts";
import { compileEndpoints } from "../../src/http/compile.ts";
import { endpoints } from "../../src/http/endpoints.ts";
import { nameOf } from "./requests.ts";

const SIGNS = [
  ..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ",
  ..."\0\u0001\t\n\r\u001b\u007f\u0080é\u00ad\u200b\u202e\u2028\ufeff\uffff😀İıſK∕／",
];

/** Segments that decode to one text, which nothing may decode again. */
const WHOLE: readonly string[] = [
  ...SIGNS.map((sign) => `a${encodeURIComponent(sign)}b`),
  ...SIGNS.map((sign) => encodeURIComponent(encodeURIComponent(sign))),
  ...SIGNS.map((sign) => `%40a${encodeURIComponent(sign)}%3Atest`),
  ...SIGNS.map((sign) => encodeURIComponent(sign).toLowerCase()),
  ...["a;x=y", "a:b", "a,b", "~a", "a+b", "...", "a..b", "a.", ".a", "a%2e"],
  ...[
    "%2Fetc%2Fpasswd",
    "..%2F..%2Fetc",
    "a%2F..%2Fb",
    "%5C..%5C",
    "a%3Fb%23c",
  ],
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"],
  ...["%25", "%2525", "%2500", "%252F", "%25E0%25A4", "%22", "%27%20or%201"],
  ...["0", "-1", "1e9", "NaN", "null", "undefined", "true", "%5B%5D", "%7B%7D"],
  ...["x".repeat(4_000), "%F0%9F%98%80".repeat(200), "%2F".repeat(500)],
].filter(
  (segment) =>
    !/[\0]|^\.{1,2}$/.test(decodeURIComponent(segment)) && segment !== "",
);

/** Segments that are no text: NUL, broken escapes, and bytes that are no UTF-8. */
const BROKEN: readonly string[] = [
  ...["%00", "a%00", "%00a", "a%00b", "%40a%00%3Atest", "%2500%00"],
  ...["%", "%%", "a%", "%a", "%zz", "%0", "%2", "%u0041", "%2G", "%-1"],
  ...["%80", "%BF", "%C0%80", "%C0%AF", "%C1%BF", "%E0%80%AF", "%E0%A4"],
  ...["%ED%A0%80", "%ED%BF%BF", "%F0%80%80%AF", "%F4%90%80%80", "%F5", "%FF"],
  ...["%FE%FF", "%C3", "%E2%82", "%F0%9F%98", "a%C3(", "%E2%28%A1"],
];

/** Segments that a proxy in front would read as another path. */
const FOREIGN: readonly string[] = [
  ...[".", "..", "%2e", "%2E", "%2e%2e", ".%2e", "%2e.", "%2E%2E"],
  ...["a b", "a\tb", "a\\b", "a#b", "é", "\u007f", "a\u0000b"],
];

describe("paths", () => {
  const router = compileEndpoints(endpoints);

  /** Each place of a parameter in each path, to be filled. */
  const places = endpoints.flatMap((endpoint) =>
    [...endpoint.path.matchAll(/:(\w+)/g)].map(([text, name = ""]) => ({
      endpoint,
      name,
      fill: (segment: string) =>
        endpoint.path
          .replace(text, "HERE")
          .replaceAll(/:\w+/g, "x")
          .replace("HERE", () => segment),
    })),
  );

  const match = (method: string, path: string) => {
    try {
      return router.match(method.toUpperCase(), path);
    } catch (error) {
      if (error instanceof MatrixError) return error;
      throw error;
    }
  };

  it("row 47: has 300 segments for every parameter of every route", () => {
    expect(WHOLE.length + BROKEN.length + FOREIGN.length).to.be.at.least(300);
    expect(places.length).to.be.above(80);
  });

  it("row 47: decodes what is whole once, and hands it on as it is or refuses it", () => {
    for (const { endpoint, name, fill } of places) {
      for (const segment of WHOLE) {
        const label = `${nameOf(endpoint)} ${segment.slice(0, 60)}`;
        const found = match(endpoint.method, fill(segment));
        if (found instanceof MatrixError) {
          expect.fail(`${label}: ${found.message}`);
        }
        // A static segment of another route may be what the vector says.
        if (found.value.endpoint !== endpoint) continue;
        const text = decodeURIComponent(segment);
        expect(found.params[name], label).to.equal(text);
        const parse = endpoint.params?.[name];
        try {
          if (parse) expect(parse(text), label).to.equal(text);
        } catch (error) {
          expect(error, label).to.be.instanceOf(MatrixError);
        }
      }
    }
  });

  it("row 47: refuses what is no text with 400 and what means another path with 404", () => {
    for (const { endpoint, fill } of places) {
      for (const [segments, statuses] of [
        [BROKEN, [400]],
        [FOREIGN, [404, 405]],
      ] as const)
        for (const segment of segments) {
          const label = `${nameOf(endpoint)} ${JSON.stringify(segment)}`;
          const found = match(endpoint.method, fill(segment));
          expect(found, label).to.be.instanceOf(MatrixError);
          expect(found, label)
            .to.have.property("status")
            .oneOf([...statuses]);
        }
    }
  });
});
