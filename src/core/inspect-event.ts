import { MatrixError } from "./errors.ts";
import { checkEventFormat, type FormatVerdict } from "./event-format.ts";
import { eventIdFromText, roomIdOf } from "./event-id.ts";
import { joinParts, mergeEventText, type EventParts } from "./event-parts.ts";
import {
  contentHashText,
  signedText,
  writeEventTexts,
  type EventTexts,
} from "./event-texts.ts";
import { asJson, type Pdu } from "./event.ts";
import { isSameHash, sha256 } from "./hash.ts";
import { carryNumberTokens } from "./json-numbers.ts";
import {
  emptyJsonObject,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "./json.ts";
import { redact } from "./redaction.ts";
import type { RoomRules } from "./room-version.ts";

/** An event from another server whose form is right; its signatures are still to be checked. */
export interface InspectedEvent extends EventParts {
  eventId: string;
  roomId: string;
  /** Without `unsigned`; the redacted event where the content hash failed. */
  pdu: Pdu;
  /** What signatures cover: for `isSignedText`. */
  signedText: string;
  /** "It is assumed that this is because we have only been given a redacted version." */
  isRedactedCopy: boolean;
}

/**
 * Checks the form and size of JSON that should be an event, and works out its
 * id, hash and parts, writing each value once. One bad event is a verdict and
 * never an error.
 */
export function inspectEvent(
  rules: RoomRules,
  value: JsonValue,
): InspectedEvent | Exclude<FormatVerdict, "valid"> {
  if (!isJsonObject(value)) return { invalid: "The event is not an object." };
  const pdu = withoutUnsigned(value) as unknown as Pdu;
  let texts: EventTexts;
  let hashText: string;
  try {
    texts = writeEventTexts(rules, pdu);
    hashText = contentHashText(rules, pdu, texts);
  } catch (error) {
    if (error instanceof MatrixError) return { invalid: error.message };
    throw error;
  }
  const parts = joinParts(texts);
  const bytes = Buffer.byteLength(
    mergeEventText(parts.skeleton, parts.content),
  );
  const verdict = checkEventFormat(rules, asJson(pdu), bytes);
  if (verdict !== "valid") return verdict;

  const signed = signedText(texts);
  const eventId = eventIdFromText(rules, pdu, signed);
  const isWhole = isSameHash(pdu.hashes.sha256, sha256(hashText));
  return {
    eventId,
    roomId: roomIdOf(rules, pdu, eventId),
    pdu: isWhole ? pdu : redact(rules, pdu),
    signedText: signed,
    isRedactedCopy: !isWhole,
    skeleton: parts.skeleton,
    content: isWhole ? parts.content : null,
  };
}

function withoutUnsigned(event: JsonObject): JsonObject {
  if (!Object.hasOwn(event, "unsigned")) return event;
  const copy = emptyJsonObject();
  for (const key of Object.keys(event)) {
    if (key !== "unsigned") copy[key] = event[key]!;
  }
  carryNumberTokens(event, copy);
  return copy;
}
