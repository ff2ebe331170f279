import fc from "fast-check";
import { emptyJsonObject, type JsonValue } from "../../src/core/json.ts";

/** Keys that JavaScript treats in its own ways, among ordinary ones. */
const key = fc.oneof(
  fc.string({ unit: "binary", maxLength: 6 }),
  fc.nat(300).map(String),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "toString",
    "\u0000",
    "\u007f",
    "\u2028",
    "\uffff",
    "\ue000",
    "😀",
    "😀a",
    "10",
    "2",
    "",
  ),
);

const scalar = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.maxSafeInteger(),
  fc.constantFrom(2 ** 53 - 1, -(2 ** 53) + 1, 0),
  fc.boolean(),
  fc.constant(null),
);

export const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie("value")), { maxLength: 6 }).map((members) => {
        const object = emptyJsonObject();
        for (const [name, value] of members) object[name] = value;
        return object;
      }),
    ),
  }),
).value;

/** A copy without some of its keys. */
export const without = <T extends object, K extends PropertyKey>(
  object: T,
  ...keys: K[]
): Omit<T, K> => {
  const copy = { ...object } as Record<string, unknown>;
  for (const key of keys) delete copy[String(key)];
  return copy as Omit<T, K>;
};
