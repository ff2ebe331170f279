import type { Expectation } from "./expectation.ts";
import { flatten, sampleOf, typesOf, type Schema } from "./schema.ts";

export interface HostileBody {
  /** Where and what, for the reader of a failure. */
  label: string;
  text: string;
  expectation: Expectation;
}

/** A value with the ways to write it that `JSON.stringify` does not know. */
interface Hostile {
  what: string;
  value: unknown;
  expectation: Expectation;
}

type Replace = (other: unknown) => unknown;

const MAX_DEPTH = 5;

/** Bodies that differ from a valid one in one place, for each place of its schema. */
export function* mutateBody(
  schema: Schema,
  valid: unknown,
): Generator<HostileBody> {
  for (const { what, value, expectation } of mutate(schema, valid, "", same, 0))
    yield { label: what, text: writeJson(value), expectation };
}

const same: Replace = (other) => other;

function* mutate(
  schema: Schema,
  valid: unknown,
  place: string,
  replace: Replace,
  depth: number,
): Generator<Hostile> {
  const flat = flatten(schema);
  for (const { what, value, expectation } of othersThan(flat))
    yield {
      what: `${place || "body"}: ${what}`,
      value: replace(value),
      expectation,
    };
  if (depth >= MAX_DEPTH) return;
  if (Array.isArray(valid))
    yield* mutateList(flat, valid, place, replace, depth);
  else if (isObject(valid))
    yield* mutateObject(flat, valid, place, replace, depth);
}

function* mutateList(
  { items, maxItems }: Schema,
  valid: readonly unknown[],
  place: string,
  replace: Replace,
  depth: number,
): Generator<Hostile> {
  const [first = "x"] = valid;
  if (maxItems !== undefined)
    yield {
      what: `${place}: ${maxItems + 1} items`,
      value: replace(Array.from({ length: maxItems + 1 }, () => first)),
      expectation: "invalid",
    };
  if (items)
    yield* mutate(
      items,
      first,
      `${place}[0]`,
      (other) => replace([other, ...valid.slice(1)]),
      depth + 1,
    );
}

function* mutateObject(
  schema: Schema,
  valid: Readonly<Record<string, unknown>>,
  place: string,
  replace: Replace,
  depth: number,
): Generator<Hostile> {
  const { properties = {}, required = [], additionalProperties: more } = schema;
  const isMap = typeof more === "object" && Object.keys(more).length > 0;
  const unnamed = isMap ? "answered" : more === false ? "invalid" : "ignored";
  const without = (name: string) =>
    Object.entries(valid).filter(([key]) => key !== name);
  const put = (name: string) => (other: unknown) =>
    replace(Object.fromEntries([...without(name), [name, other]]));
  for (const name of required)
    yield {
      what: `${place}: without ${name}`,
      value: replace(Object.fromEntries(without(name))),
      expectation: "invalid",
    };
  for (const [name, expectation] of ODD_NAMES)
    yield {
      what: `${place}: a member ${JSON.stringify(name).slice(0, 30)}`,
      value: put(name)({ polluted: 1 }),
      expectation: expectation === "ignored" ? unnamed : expectation,
    };
  for (const [name, inner] of Object.entries(properties)) {
    const held = name in valid ? valid[name] : sampleOf(inner);
    yield* mutate(inner, held, `${place}.${name}`, put(name), depth + 1);
  }
  if (!isMap) return;
  const [name = "@x:test"] = Object.keys(valid);
  const held = valid[name] ?? sampleOf(more);
  yield* mutate(more, held, `${place}.*`, put(name), depth + 1);
}

/** Members that no schema names. */
const ODD_NAMES: readonly (readonly [string, Expectation])[] = [
  ["org.example.unknown", "ignored"],
  ["__proto__", "ignored"],
  ["constructor", "ignored"],
  ["toString", "ignored"],
  ["", "ignored"],
  ["nul\0", "ignored"],
  ["x".repeat(5_000), "ignored"],
  ["\ud800", "malformed"],
];

const SAMPLES: Readonly<Record<string, unknown>> = {
  string: "text",
  integer: 7,
  number: 1.5,
  boolean: true,
  null: null,
  array: ["text"],
  object: { text: 1 },
};

/** Instead of a valid value: another type, another size, another kind. */
function* othersThan(schema: Schema): Generator<Hostile> {
  const types = typesOf(schema);
  const takes = (type: string) =>
    types.length === 0 ||
    types.includes(type) ||
    (type === "integer" && types.includes("number"));
  for (const [type, value] of Object.entries(SAMPLES))
    if (!takes(type) && !(type === "number" && types.includes("integer")))
      yield { what: `a ${type}`, value, expectation: "invalid" };
  yield { what: "1e400", value: raw("1e400"), expectation: "malformed" };
  yield { what: "NaN", value: raw("NaN"), expectation: "malformed" };
  yield { what: "a lone surrogate", value: "\udfff", expectation: "malformed" };
  yield { what: "deep", value: raw(nest(101)), expectation: "malformed" };
  if (schema.enum)
    yield { what: "no such value", value: "nonsense", expectation: "invalid" };
  if (types.length === 0) return;
  if (takes("string")) yield* otherTexts(schema);
  if (takes("integer")) yield* otherNumbers(schema, takes("number"));
  if (takes("array") || takes("object"))
    yield {
      what: "deep within bounds",
      value: raw(nest(90)),
      expectation: "answered",
    };
}

function* otherTexts({ maxLength, enum: known }: Schema): Generator<Hostile> {
  const open: Expectation = known ? "invalid" : "answered";
  const text = (what: string, value: string, expectation = open): Hostile => ({
    what,
    value,
    expectation,
  });
  yield text("an empty text", "");
  yield text("NUL", "a\0b");
  yield text("70,000 characters", "x".repeat(70_000));
  yield text("__proto__", "__proto__");
  for (const id of [
    "@a:test",
    "!a:test",
    "#a:test",
    "$a",
    "@a\0:test",
    "@:",
    "!",
  ])
    yield text(`the id ${JSON.stringify(id)}`, id);
  yield text("lines and colours", "\r\n\u001b[31m\u202e'; --");
  if (maxLength !== undefined)
    yield text("one too many", "x".repeat(maxLength + 1), "invalid");
}

function* otherNumbers(
  { minimum }: Schema,
  takesFractions: boolean,
): Generator<Hostile> {
  const number = (what: string, expectation: Expectation): Hostile => ({
    what,
    value: raw(what),
    expectation,
  });
  yield number("1.5", takesFractions ? "answered" : "invalid");
  yield number("-1", minimum === undefined ? "answered" : "invalid");
  yield number(
    "-9007199254740993",
    minimum === undefined ? "answered" : "invalid",
  );
  for (const large of [
    "9007199254740993",
    "1e308",
    "123456789012345678901234567890",
  ])
    yield number(large, "answered");
}

const nest = (depth: number): string =>
  `${"[".repeat(depth)}${"]".repeat(depth)}`;

const MARK = "raw:9c1f:";
/** A value that stands in the text as it is. */
const raw = (text: string): string => MARK + text;
const RAW = new RegExp(`"${MARK}([^"]*)"`, "g");

const writeJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(RAW, "$1");

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** What is no JSON object at all, whatever the schema. */
export function* brokenBodies(
  valid: unknown,
  maxBytes: number,
): Generator<{
  label: string;
  text: string | Buffer;
  expectation: Expectation;
}> {
  yield {
    label: "body: a byte too many",
    text: JSON.stringify(valid).padEnd(maxBytes + 1, " "),
    expectation: "invalid",
  };
  const whole = JSON.stringify(valid);
  const bytes = (text: string) => Buffer.from(text, "latin1");
  const broken: Readonly<Record<string, string | Buffer>> = {
    "a half": whole.slice(0, -1),
    "a comma too many": `${whole.slice(0, -1)},}`,
    "two documents": whole + whole,
    "single quotes": "{'a':1}",
    "a comment": `/**/${whole}`,
    "a byte order mark": Buffer.concat([
      bytes("\xef\xbb\xbf"),
      Buffer.from(whole),
    ]),
    "UTF-16": Buffer.from(whole, "utf16le"),
    "bytes that are no UTF-8": bytes('{"a":"\xff"}'),
    "an encoded surrogate": bytes('{"a":"\xed\xa0\x80"}'),
    "a NUL byte": '{"a":"\0"}',
    "a form": "a=1&b=2",
    blanks: " \n\t",
    "brackets that do not close": "[".repeat(10_000),
    "a list": "[]",
    "a text": '"x"',
    "a number": "1",
    null: "null",
  };
  for (const [label, text] of Object.entries(broken))
    yield { label: `body: ${label}`, text, expectation: "malformed" };
}
