import { compareCodePoints } from "./code-points.ts";
import { MatrixError } from "./errors.ts";
import { findNumberToken } from "./json-numbers.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** How deep the quick way goes; deeper values take the way that has no stack to overflow. */
const MAX_RECURSION = 60;

const NEEDS_CARE = /[\u0000-\u001f"\\\ud800-\udfff]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Canonical JSON as the specification's appendix defines it.
 *
 * @throws MatrixError M_BAD_JSON for numbers that are no integers within
 * ±(2^53−1) and for lone surrogates
 */
export const canonicalJson = (value: JsonValue): string =>
  writeValue(value, writeInteger, 0);

/**
 * As `canonicalJson`, for events of room versions that do not enforce it: any
 * finite number, in the form in which it was received.
 */
export const canonicalJsonAsReceived = (value: JsonValue): string =>
  writeValue(value, writeNumberAsReceived, 0);

/** A key of an object and the canonical text of its value. */
export type Member = readonly [key: string, text: string];

/** The members of an object in canonical order. */
export function canonicalMembers(
  object: JsonObject,
  numbers: "strict" | "as-received",
): Member[] {
  const writeNumber =
    numbers === "strict" ? writeInteger : writeNumberAsReceived;
  return canonicalKeys(object).map((key) => [
    key,
    writeValue(object[key]!, writeNumber, 1, object, key),
  ]);
}

/** The object that has these members, which stand in canonical order. */
export function joinMembers(members: readonly Member[]): string {
  let text = "{";
  for (const [key, value] of members) {
    text += `${text === "{" ? "" : ","}${canonicalString(key)}:${value}`;
  }
  return text + "}";
}

/** The members with one more, or with another text for one of them. */
export function withMember(
  members: readonly Member[],
  member: Member,
): Member[] {
  const at = members.findIndex(
    ([key]) => compareCodePoints(key, member[0]) >= 0,
  );
  if (at === -1) return [...members, member];
  return members.toSpliced(at, members[at]![0] === member[0] ? 1 : 0, member);
}

type Holder = JsonObject | JsonValue[];
type Key = string | number;
type NumberWriter = (value: number, holder?: Holder, key?: Key) => string;

const writeInteger: NumberWriter = (value) => {
  if (!Number.isSafeInteger(value)) {
    throw new MatrixError(
      "M_BAD_JSON",
      "Numbers must be integers between -(2^53-1) and 2^53-1.",
    );
  }
  return String(value);
};

const writeNumberAsReceived: NumberWriter = (value, holder, key) => {
  if (!Number.isFinite(value)) {
    throw new MatrixError("M_BAD_JSON", "A number is out of range.");
  }
  const token =
    holder === undefined ? undefined : findNumberToken(holder, key!, value);
  return token ?? String(value);
};

/** A JSON string in its shortest form. */
export function canonicalString(value: string): string {
  if (!NEEDS_CARE.test(value)) return `"${value}"`;
  if (LONE_SURROGATE.test(value)) {
    throw new MatrixError("M_BAD_JSON", "A string holds a lone surrogate.");
  }
  return JSON.stringify(value);
}

/** The keys of an object in the order of canonical JSON. */
export function canonicalKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  for (let index = 1; index < keys.length; index++) {
    if (compareCodePoints(keys[index - 1]!, keys[index]!) > 0) {
      return keys.sort(compareCodePoints);
    }
  }
  return keys;
}

function writeValue(
  value: JsonValue,
  writeNumber: NumberWriter,
  depth: number,
  holder?: Holder,
  key?: Key,
): string {
  if (typeof value === "string") return canonicalString(value);
  if (typeof value === "number") return writeNumber(value, holder, key);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value === null) return "null";
  if (typeof value !== "object") {
    throw new TypeError(`A value of type ${typeof value} has no JSON form.`);
  }
  if (depth > MAX_RECURSION) return writeDeep(value, writeNumber);
  return Array.isArray(value)
    ? writeArray(value, writeNumber, depth)
    : writeObject(value, writeNumber, depth);
}

function writeArray(
  array: JsonValue[],
  writeNumber: NumberWriter,
  depth: number,
): string {
  let text = "[";
  for (let index = 0; index < array.length; index++) {
    if (index > 0) text += ",";
    text += writeValue(array[index]!, writeNumber, depth + 1, array, index);
  }
  return text + "]";
}

function writeObject(
  object: JsonObject,
  writeNumber: NumberWriter,
  depth: number,
): string {
  let text = "{";
  for (const key of canonicalKeys(object)) {
    if (text !== "{") text += ",";
    text += canonicalString(key) + ":";
    text += writeValue(object[key]!, writeNumber, depth + 1, object, key);
  }
  return text + "}";
}

interface Frame {
  holder: Holder;
  keys: string[] | undefined;
  next: number;
}

function writeDeep(root: Holder, writeNumber: NumberWriter): string {
  const frames: Frame[] = [];
  const pieces: string[] = [];
  const open = (holder: Holder): void => {
    const keys = Array.isArray(holder) ? undefined : canonicalKeys(holder);
    pieces.push(keys ? "{" : "[");
    frames.push({ holder, keys, next: 0 });
  };
  open(root);
  while (frames.length > 0) {
    const frame = frames.at(-1)!;
    const { holder, keys } = frame;
    const length = keys?.length ?? (holder as JsonValue[]).length;
    if (frame.next === length) {
      pieces.push(keys ? "}" : "]");
      frames.pop();
      continue;
    }
    if (frame.next > 0) pieces.push(",");
    const key = keys ? keys[frame.next]! : String(frame.next);
    if (keys) pieces.push(canonicalString(key), ":");
    frame.next++;
    const value = (holder as JsonObject)[key]!;
    if (typeof value === "object" && value !== null) open(value);
    else pieces.push(writeValue(value, writeNumber, 0, holder, key));
  }
  return pieces.join("");
}
