import type { RoomEvent } from "../event.ts";
import { serverNameOf } from "../ids.ts";
import { rejected, type Verdict } from "./verdict.ts";

/** "If type is m.room.aliases" (room versions 1 to 5). */
export function checkAliases({ pdu }: RoomEvent): Verdict {
  // If event has no state_key, reject.
  if (pdu.state_key === undefined) {
    return rejected("An aliases event without a state key.");
  }
  // If sender's domain doesn't match state_key, reject.
  if (serverNameOf(pdu.sender) !== pdu.state_key) {
    return rejected("The aliases are of another server than the sender.");
  }
  // Otherwise, allow.
  return "allowed";
}
