import { type EventReference, type Pdu } from "../../core/event.ts";
import { signedText, writeEventTexts } from "../../core/event-texts.ts";
import { sha256 } from "../../core/hash.ts";
import type { RoomRules } from "../../core/room-version.ts";

/** How `prev_events` and `auth_events` name an event: room versions 1 and 2 add its hash. */
export const referenceTo = (
  rules: RoomRules,
  { eventId, pdu }: { eventId: string; pdu: Pdu },
): EventReference =>
  rules.eventIdFormat === "domain"
    ? [eventId, { sha256: sha256(signedText(writeEventTexts(rules, pdu))) }]
    : eventId;
