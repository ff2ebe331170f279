import { MatrixError } from "./errors.ts";

export interface ScanLimits {
  maxDepth: number;
  maxKeys: number;
  /** Refuse, or only report, numbers that are no canonical integers. */
  refuseOddNumbers: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The index of the quote that ends the string which opens at `start`. */
export function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end === -1) {
      throw new MatrixError("M_NOT_JSON", "A string in the JSON has no end.");
    }
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
}

const isNumberPart = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || // 0-9
  code === 0x2b ||
  code === 0x2d ||
  code === 0x2e || // + - .
  code === 0x45 ||
  code === 0x65; // E e

/**
 * Measures text before it is parsed: depth, entries, number forms. Says whether
 * there are numbers that `String(Number(token))` would write in another way.
 */
export function scanJson(
  text: string,
  { maxDepth, maxKeys, refuseOddNumbers }: ScanLimits,
): boolean {
  let depth = 0;
  let entries = 0;
  let hasOddNumbers = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index);
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) {
        throw new MatrixError("M_BAD_JSON", "The JSON is nested too deeply.");
      }
      entries++;
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    } else if (code === 0x2c) {
      entries++;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const start = index;
      while (isNumberPart(text.charCodeAt(index + 1))) index++;
      if (isOddNumber(text, start, index + 1)) {
        if (refuseOddNumbers) {
          throw new MatrixError(
            "M_BAD_JSON",
            "Numbers must be integers between -(2^53-1) and 2^53-1.",
          );
        }
        hasOddNumbers = true;
      }
    }
    if (entries > maxKeys) {
      throw new MatrixError("M_TOO_LARGE", "The JSON has too many entries.");
    }
  }
  return hasOddNumbers;
}

const MAX_PLAIN_DIGITS = 15;

function isOddNumber(text: string, start: number, end: number): boolean {
  for (let index = start + 1; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return true;
  }
  if (text.charCodeAt(start) === 0x2d && text.charCodeAt(start + 1) === 0x30) {
    return true;
  }
  if (end - start <= MAX_PLAIN_DIGITS) return false;
  return !Number.isSafeInteger(Number(text.slice(start, end)));
}
