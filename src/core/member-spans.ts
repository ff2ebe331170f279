import { endOfString } from "./json-scan.ts";

/** A member of an object within canonical text. */
export interface MemberSpan {
  key: string;
  /** Where the member begins, with its key. */
  start: number;
  valueStart: number;
  end: number;
}

/** The members of the object that `text` is. It has to be canonical JSON of our own. */
export function listMemberSpans(text: string): MemberSpan[] {
  const spans: MemberSpan[] = [];
  let start = 1;
  while (text.charAt(start) === '"') {
    const keyEnd = endOfString(text, start) + 1;
    const raw = text.slice(start, keyEnd);
    const key = raw.includes("\\")
      ? (JSON.parse(raw) as string)
      : raw.slice(1, -1);
    const end = endOfValue(text, keyEnd + 1);
    spans.push({ key, start, valueStart: keyEnd + 1, end });
    start = end + 1;
  }
  return spans;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (char === 0x22) {
      index = endOfString(text, index);
    } else if (char === 0x7b || char === 0x5b) {
      depth++;
    } else if (char === 0x7d || char === 0x5d) {
      if (depth === 0) return index;
      depth--;
    } else if (char === 0x2c && depth === 0) {
      return index;
    }
  }
  return text.length;
}
