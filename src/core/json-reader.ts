import { MatrixError } from "./errors.ts";
import { scanJson } from "./json-scan.ts";
import { parseKeepingNumberTokens } from "./json-tokens.ts";
import type { JsonValue } from "./json.ts";

export interface JsonLimits {
  /** Of the UTF-8 form. */
  maxBytes?: number;
  /** Of objects and arrays within each other. */
  maxDepth?: number;
  /** Members of objects and elements of arrays, together. */
  maxKeys?: number;
  /**
   * `double`: any finite number. `strict-integers`: refuses floats, exponents,
   * `-0` and what is beyond ±(2^53−1), as room versions from 6 on ask.
   * `keep-tokens`: any finite number, and `canonicalJsonAsReceived` writes it
   * in the form in which it came.
   */
  numbers?: "double" | "strict-integers" | "keep-tokens";
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Reads JSON from outside, in time linear to its size and without recursion.
 * Objects come without prototype, the last of duplicate keys wins.
 *
 * @throws MatrixError M_NOT_JSON for what is no JSON or no UTF-8, M_BAD_JSON for
 * depth, lone surrogates and numbers, M_TOO_LARGE for bytes and entries
 */
export function readJson(
  input: Uint8Array | string,
  {
    maxBytes = 1024 * 1024,
    maxDepth = 100,
    maxKeys = 50_000,
    numbers = "double",
  }: JsonLimits = {},
): JsonValue {
  if (exceeds(input, maxBytes)) {
    throw new MatrixError("M_TOO_LARGE", "The JSON is too large.");
  }
  const text =
    typeof input === "string" ? assertWellFormed(input) : decode(input);
  const hasOddNumbers = scanJson(text, {
    maxDepth,
    maxKeys,
    refuseOddNumbers: numbers === "strict-integers",
  });
  const value = parse(text);
  const mayHoldLoneSurrogates =
    text.includes("\\u") && SURROGATE_ESCAPE.test(text);
  const kept =
    hasOddNumbers && numbers === "keep-tokens"
      ? parseKeepingNumberTokens(text)
      : value;
  return settle(kept, mayHoldLoneSurrogates, hasOddNumbers);
}

function exceeds(input: Uint8Array | string, maxBytes: number): boolean {
  if (input.length > maxBytes) return true;
  return (
    typeof input === "string" &&
    input.length * 3 > maxBytes &&
    Buffer.byteLength(input) > maxBytes
  );
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new MatrixError(
      "M_NOT_JSON",
      "The JSON is not UTF-8.",
      {},
      { cause },
    );
  }
}

function assertWellFormed(text: string): string {
  if (LONE_SURROGATE.test(text)) {
    throw new MatrixError("M_BAD_JSON", "The JSON holds a lone surrogate.");
  }
  return text;
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new MatrixError("M_NOT_JSON", "That is not JSON.", {}, { cause });
  }
}

/** Takes the prototypes away (which keeps V8's fast objects) and looks at what is in doubt. */
function settle(
  root: JsonValue,
  checkStrings: boolean,
  checkNumbers: boolean,
): JsonValue {
  const waiting: JsonValue[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop()!;
    if (typeof value === "string") {
      if (checkStrings) assertWellFormed(value);
    } else if (typeof value === "number") {
      if (checkNumbers && !Number.isFinite(value)) {
        throw new MatrixError("M_BAD_JSON", "A number is out of range.");
      }
    } else if (Array.isArray(value)) {
      for (const item of value) {
        if (checkStrings || checkNumbers || isContainer(item)) {
          waiting.push(item);
        }
      }
    } else if (isContainer(value)) {
      Object.setPrototypeOf(value, null);
      for (const key in value) {
        if (checkStrings) assertWellFormed(key);
        const item = value[key]!;
        if (checkStrings || checkNumbers || isContainer(item)) {
          waiting.push(item);
        }
      }
    }
  }
  return root;
}

const isContainer = (
  value: JsonValue,
): value is Exclude<JsonValue, null | boolean | number | string> =>
  typeof value === "object" && value !== null;
