import { ANY, makeSegment, matchesAt, type Segment } from "./glob-segment.ts";

/** A compiled glob. No regular expression is made of it, and it matches in linear time. */
export interface Glob {
  /** What stands between the stars; one segment if there are none. */
  segments: readonly Segment[];
  minLength: number;
  /** `?` stands for a code point, not for half of one. */
  byCodePoint: boolean;
  ignoresCase: boolean;
  /** How often a unit of a text is looked at, about, while the two are matched. */
  steps: number;
}

interface GlobOptions {
  /** Default true. */
  ignoreCase?: boolean;
  /** Whether `?` matches any one character. Default true. */
  questionMark?: boolean;
}

export function compileGlob(
  pattern: string,
  { ignoreCase = true, questionMark = true }: GlobOptions = {},
): Glob {
  const folded = ignoreCase ? pattern.toLowerCase() : pattern;
  const byCodePoint = questionMark && folded.includes("?");
  const segments = folded.split("*").map((part) => {
    const units = toUnits(part, byCodePoint);
    return makeSegment(
      byCodePoint ? units.map((unit) => (unit === 0x3f ? ANY : unit)) : units,
    );
  });
  return {
    segments,
    minLength: segments.reduce((sum, { units }) => sum + units.length, 0),
    byCodePoint,
    ignoresCase: ignoreCase,
    steps: segments.reduce((most, { steps }) => Math.max(most, steps), 1),
  };
}

export function toUnits(text: string, byCodePoint: boolean): number[] {
  const units: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const unit = byCodePoint
      ? text.codePointAt(index)!
      : text.charCodeAt(index);
    if (unit > 0xffff) index++;
    units.push(unit);
  }
  return units;
}

/** Of the patterns together: some 50 bytes each, compiled. */
const MAX_REMEMBERED_UNITS = 1_000_000;
const PATTERN_UNITS = 10;
const remembered = new Map<string, Glob>();
let rememberedUnits = 0;

/** Rules and lists are asked again and again with the same patterns. */
export function globOf(pattern: string): Glob {
  let glob = remembered.get(pattern);
  // What was asked for last is what goes last.
  if (glob) remembered.delete(pattern);
  else {
    glob = compileGlob(pattern);
    rememberedUnits += pattern.length + PATTERN_UNITS;
  }
  remembered.set(pattern, glob);
  for (const [oldest] of remembered) {
    if (rememberedUnits <= MAX_REMEMBERED_UNITS) break;
    remembered.delete(oldest);
    rememberedUnits -= oldest.length + PATTERN_UNITS;
  }
  return glob;
}

/** Whether it needs no compiling. */
export const isRemembered = (pattern: string): boolean =>
  remembered.has(pattern);

/** Whether a whole text matches a glob. A pattern that is a string ignores case. */
export function matchesGlob(pattern: string | Glob, text: string): boolean {
  const glob = typeof pattern === "string" ? globOf(pattern) : pattern;
  return matchesUnits(glob, unitsFor(glob, text));
}

/**
 * Whether a glob matches a stretch of a text that begins and ends at word
 * boundaries, as push rules match `content.body`. An empty glob matches nothing.
 */
export function matchesGlobInWords(
  pattern: string | Glob,
  text: string,
): boolean {
  const glob = typeof pattern === "string" ? globOf(pattern) : pattern;
  return matchesUnitsInWords(glob, unitsFor(glob, text));
}

const unitsFor = ({ byCodePoint, ignoresCase }: Glob, text: string): number[] =>
  toUnits(ignoresCase ? text.toLowerCase() : text, byCodePoint);

const anywhere = (): boolean => true;

export function matchesUnits(
  { segments, minLength }: Glob,
  text: ArrayLike<number>,
): boolean {
  const { length } = text;
  const first = segments[0]!;
  const last = segments.at(-1)!;
  if (length < minLength || !matchesAt(first, text, 0)) return false;
  if (segments.length === 1) return length === minLength;
  const end = findInOrder(segments.slice(1, -1), text, first.units.length);
  const start = length - last.units.length;
  return end !== -1 && end <= start && matchesAt(last, text, start);
}

export function matchesUnitsInWords(
  { segments, minLength }: Glob,
  text: ArrayLike<number>,
): boolean {
  if (segments.length === 1 && minLength === 0) return false;
  // "A word boundary is defined as the start or end of the value, or any character not in the
  // sets [A-Z], [a-z], [0-9] or _."
  const isBoundary = (index: number): boolean =>
    index === 0 ||
    index === text.length ||
    !isWordUnit(text[index - 1]!) ||
    !isWordUnit(text[index]!);
  const first = segments[0]!;
  if (segments.length === 1) {
    return (
      first.find(
        text,
        0,
        (start, end) => isBoundary(start) && isBoundary(end),
      ) !== -1
    );
  }
  const begun = first.find(text, 0, isBoundary);
  if (begun === -1) return false;
  const end = findInOrder(segments.slice(1, -1), text, begun);
  return (
    end !== -1 &&
    segments.at(-1)!.find(text, end, (_start, stop) => isBoundary(stop)) !== -1
  );
}

/** Where the last of these ends, each being taken as early as it can be; -1 if one is missing. */
function findInOrder(
  segments: readonly Segment[],
  text: ArrayLike<number>,
  from: number,
): number {
  let end = from;
  for (const segment of segments) {
    end = segment.find(text, end, anywhere);
    if (end === -1) return -1;
  }
  return end;
}

const isWordUnit = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) || // a-z
  (unit >= 0x30 && unit <= 0x39) || // 0-9
  (unit >= 0x41 && unit <= 0x5a) || // A-Z
  unit === 0x5f; // _
