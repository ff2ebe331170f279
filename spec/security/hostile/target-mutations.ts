import type { Expectation } from "./expectation.ts";
import { flatten, typesOf, type Schema } from "./schema.ts";

export interface HostileTarget {
  label: string;
  target: string;
  expectation: Expectation;
}

/** Encoded segments that no parameter may be. */
const BROKEN = ["%00", "a%00b", "%zz", "%E0%A4", "%C0%AF", "%ED%A0%80"];

const ROOM = ["@a:test", "$a", "!", "x", `!${"x".repeat(300)}:test`];
const USER = ["!a:test", "$a", "a", "@", "@:test", "@A B:test", "@a:"];
const EVENT = ["!a:test", "@a:test", "x", "$", `$${"x".repeat(300)}`];
const ALIAS = ["@a:test", "!a:test", "x", "#", "#a"];

/** Ids of the wrong kind, and names of a closed set that are not in it. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  roomId: [...ROOM, "#a:test"],
  roomIdOrAlias: ROOM,
  userId: USER,
  eventId: EVENT,
  threadRoot: EVENT,
  roomAlias: ALIAS,
  filterId: ["-1", "1e9", "99999999999999999999", "x"],
  delayId: ["absent"],
  action: ["nonsense", "__proto__"],
  kind: ["nonsense", "__proto__", "Content"],
  receiptType: ["nonsense", "__proto__"],
  serverName: ["a b", "@a:test", "a/b", "../test", "test:port", "[::"],
  mediaId: ["a.b", "a/b", "../../keys", "a b", "\\\\host\\share", "é"],
};

/** Texts that any other parameter may be. */
const ODD = [
  "__proto__",
  "constructor",
  "😀\uffff",
  "\r\n\u001b[31m",
  "'; --",
  "a/b?c#d",
];

/** Paths that differ from a valid one in one parameter. */
export function* mutatePath(
  pattern: string,
  valid: string,
): Generator<HostileTarget> {
  const [path = "", query] = valid.split("?");
  const segments = path.split("/");
  const names = pattern.split("/");
  for (const [i, name] of names.entries()) {
    if (!name.startsWith(":")) continue;
    const wrong = (WRONG[name.slice(1)] ?? []).map(encodeURIComponent);
    const with_ = (segment: string, expectation: Expectation) => ({
      label: `${name} ${segment.slice(0, 40)}`,
      target: join(segments.with(i, segment).join("/"), query),
      expectation,
    });
    for (const segment of BROKEN) yield with_(segment, "malformed");
    for (const segment of wrong) yield with_(segment, "refused");
    for (const text of [...ODD, "x".repeat(3_000)])
      yield with_(encodeURIComponent(text), "answered");
  }
}

/** Queries that differ from a valid one in one parameter. */
export function* mutateQuery(
  schema: Schema,
  valid: string,
): Generator<HostileTarget> {
  const { properties = {}, required = [] } = schema;
  const [path = "", query = ""] = valid.split("?");
  const pairs = query.split("&").filter((pair) => pair !== "");
  const without = (name: string) =>
    pairs.filter((pair) => pair.split("=")[0] !== name);
  const make = (
    label: string,
    list: readonly string[],
    expectation: Expectation,
  ): HostileTarget => ({
    label: `?${label.slice(0, 60)}`,
    target: join(path, list.join("&")),
    expectation,
  });
  for (const name of required)
    yield make(`without ${name}`, without(name), "malformed");
  for (const unknown of [
    "org.example.unknown=1",
    "__proto__=1",
    "constructor=x",
    "=",
    "&&&",
  ])
    yield make(unknown, [...pairs, unknown], "ignored");
  for (const broken of ["x=%zz", "%E0%A4=1", "x=%00"])
    yield make(broken, [...pairs, broken], "malformed");
  for (const [name, property] of Object.entries(properties)) {
    const key = encodeURIComponent(name);
    for (const [value, expectation] of valuesFor(flatten(property)))
      yield make(
        `${name}=${value}`,
        [...without(name), `${key}=${value}`],
        expectation,
      );
    if (typesOf(property)[0] !== "array")
      yield make(
        `${name} twice`,
        [...without(name), `${key}=1`, `${key}=1`],
        "malformed",
      );
  }
}

function* valuesFor(schema: Schema): Generator<readonly [string, Expectation]> {
  for (const broken of BROKEN) yield [broken, "malformed"];
  const type = typesOf(schema)[0];
  if (type === "boolean")
    for (const wrong of ["1", "TRUE", "", "null"]) yield [wrong, "malformed"];
  else if (type === "integer") {
    for (const wrong of ["", "x", "1.5", "1e3", "0x1", "%201", "9".repeat(40)])
      yield [wrong, "malformed"];
    yield ["-1", schema.minimum === undefined ? "answered" : "malformed"];
    yield ["9007199254740991", "answered"];
  } else if (schema.enum)
    for (const wrong of ["", "nonsense", "__proto__"])
      yield [wrong, schema.enum.includes(wrong) ? "answered" : "malformed"];
  else
    for (const odd of [
      ...ODD,
      "",
      "@a:test",
      "!a:test",
      "{",
      '{"a":',
      nested,
      "x".repeat(6_000),
    ])
      yield [encodeURIComponent(odd), "answered"];
}

const nested = '{"room":'.repeat(200) + "{}" + "}".repeat(200);

const join = (path: string, query: string | undefined): string =>
  query === undefined || query === "" ? path : `${path}?${query}`;
