import type { RoomEvent } from "../event.ts";
import { serverNameOf } from "../ids.ts";
import type { AuthState } from "./auth-state.ts";
import { rejected, type Verdict } from "./verdict.ts";

/** "If type is m.room.redaction" (room versions 1 and 2, whose event ids hold a domain). */
export function checkRedaction(event: RoomEvent, auth: AuthState): Verdict {
  const { pdu, eventId } = event;
  // If the sender's power level is greater than or equal to the redact level, allow.
  if (auth.powerOf(pdu.sender) >= auth.levelOf("redact")) return "allowed";
  // If the domain of the event_id of the event being redacted is the same as the domain of the
  // event_id of the m.room.redaction, allow.
  const domain = serverNameOf(eventId);
  if (
    domain !== undefined &&
    pdu.redacts !== undefined &&
    serverNameOf(pdu.redacts) === domain
  ) {
    return "allowed";
  }
  // Otherwise, reject.
  return rejected("The sender may not redact other servers' events.");
}
