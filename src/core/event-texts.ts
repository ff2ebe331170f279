import {
  canonicalJson,
  canonicalJsonAsReceived,
  canonicalMembers,
  joinMembers,
  type Member,
} from "./canonical-json.ts";
import { compareCodePoints } from "./code-points.ts";
import { asJson, type EventTemplate, type Pdu } from "./event.ts";
import { divideEvent } from "./redaction.ts";
import type { RoomRules } from "./room-version.ts";

/**
 * The canonical texts of an event's top-level members, each written once: all
 * that is hashed, signed and stored is joined from them.
 */
export interface EventTexts {
  /** Of the redacted event. */
  kept: readonly Member[];
  /** Of what redaction strips. */
  stripped: readonly Member[];
}

/** @throws MatrixError M_BAD_JSON for values that have no canonical form */
export function writeEventTexts(
  rules: RoomRules,
  event: Pdu | EventTemplate,
): EventTexts {
  const { kept, stripped } = divideEvent(rules.redaction, asJson(event));
  const numbers = rules.strictCanonicalJson ? "strict" : "as-received";
  return {
    kept: canonicalMembers(kept, numbers),
    stripped: stripped === undefined ? [] : canonicalMembers(stripped, numbers),
  };
}

const NOT_HASHED = new Set(["hashes", "signatures"]);

/** What the content hash covers: the whole event without hashes and signatures. */
export function contentHashText(
  rules: RoomRules,
  event: Pdu | EventTemplate,
  { kept, stripped }: EventTexts,
): string {
  const members: Member[] = [];
  let next = 0;
  for (const member of kept) {
    const [key, text] = member;
    let order = -1;
    while (next < stripped.length) {
      order = compareCodePoints(stripped[next]![0], key);
      if (order >= 0) break;
      members.push(stripped[next++]!);
    }
    if (next < stripped.length && order === 0) {
      const rest = stripped[next++]!;
      // Where redaction leaves nothing, what it strips is the whole.
      members.push(
        text === "{}" ? rest : [key, canonicalContent(rules, event)],
      );
    } else if (!NOT_HASHED.has(key)) {
      members.push(member);
    }
  }
  members.push(...stripped.slice(next));
  return joinMembers(members);
}

const canonicalContent = (
  { strictCanonicalJson }: RoomRules,
  { content }: Pdu | EventTemplate,
): string =>
  strictCanonicalJson
    ? canonicalJson(content)
    : canonicalJsonAsReceived(content);

/**
 * What signatures cover, and from room version 3 on the hash that is the
 * event's id: the redacted event without signatures.
 */
export const signedText = ({ kept }: EventTexts): string =>
  joinMembers(kept.filter(([key]) => key !== "signatures"));
