import type { Pdu } from "../../core/event.ts";
import { isEventId } from "../../core/ids.ts";
import { redactsOf } from "../../core/redaction.ts";
import type { RoomRules } from "../../core/room-version.ts";

/** The event that a redaction names; what is no event id names nothing. */
export function listRedacted(
  rules: RoomRules,
  pdu: Pick<Pdu, "type" | "content" | "redacts">,
): string[] {
  if (pdu.type !== "m.room.redaction") return [];
  const named = redactsOf(rules, pdu);
  return named !== undefined && isEventId(named) ? [named] : [];
}
