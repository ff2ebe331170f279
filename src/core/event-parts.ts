import { joinMembers } from "./canonical-json.ts";
import { compareCodePoints } from "./code-points.ts";
import type { Pdu } from "./event.ts";
import { writeEventTexts, type EventTexts } from "./event-texts.ts";
import { readJson } from "./json-reader.ts";
import { listMemberSpans } from "./member-spans.ts";
import type { RoomRules } from "./room-version.ts";

/** The two parts in which events are stored, both canonical JSON. */
export interface EventParts {
  /** The redacted event with hashes and signatures. */
  skeleton: string;
  /** All that redaction strips, wherever it stands; null if that is nothing. */
  content: string | null;
}

export const splitEvent = (rules: RoomRules, pdu: Pdu): EventParts =>
  joinParts(writeEventTexts(rules, pdu));

export const joinParts = ({ kept, stripped }: EventTexts): EventParts => ({
  skeleton: joinMembers(kept),
  content: stripped.length === 0 ? null : joinMembers(stripped),
});

/** The event of two parts of our own, which need no bounds. */
export const mergeEvent = (skeleton: string, content: string | null): Pdu =>
  readJson(mergeEventText(skeleton, content), {
    maxBytes: Infinity,
    maxDepth: Infinity,
    maxKeys: Infinity,
    numbers: "keep-tokens",
  }) as unknown as Pdu;

/** The canonical JSON of the event, without `unsigned`. */
export const mergeEventText = (
  skeleton: string,
  content: string | null,
): string => (content === null ? skeleton : mergeObjects(skeleton, content));

/** Objects under the same key merge; any other key is in one of the two only. */
function mergeObjects(left: string, right: string): string {
  if (left === "{}") return right;
  const additions = listMemberSpans(right);
  let text = "{";
  const add = (member: string): void => {
    text += text === "{" ? member : `,${member}`;
  };
  let next = 0;
  for (const { key, start, valueStart, end } of listMemberSpans(left)) {
    let order = -1;
    while (next < additions.length) {
      const addition = additions[next]!;
      order = compareCodePoints(addition.key, key);
      if (order >= 0) break;
      add(right.slice(addition.start, addition.end));
      next++;
    }
    if (next < additions.length && order === 0) {
      const addition = additions[next++]!;
      const merged = mergeObjects(
        left.slice(valueStart, end),
        right.slice(addition.valueStart, addition.end),
      );
      add(left.slice(start, valueStart) + merged);
    } else {
      add(left.slice(start, end));
    }
  }
  for (const { start, end } of additions.slice(next)) {
    add(right.slice(start, end));
  }
  return text + "}";
}
