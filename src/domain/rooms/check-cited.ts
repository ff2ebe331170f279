import { checkAuth, type Verdict } from "../../core/auth/check.ts";
import { checkAuthEvents } from "../../core/auth/check-auth-events.ts";
import type { RoomEvent } from "../../core/event.ts";
import type { RoomRules } from "../../core/room-version.ts";

/**
 * What auth says of an event by its auth events. `create` stands for the create
 * event where the room's id cites it.
 */
export function checkCited(
  rules: RoomRules,
  event: RoomEvent,
  authEvents: readonly RoomEvent[],
  create: RoomEvent | undefined,
): Verdict {
  const cited = checkAuthEvents(rules, event, authEvents);
  if (cited !== "allowed") return cited;
  return checkAuth(rules, event, (type, stateKey) =>
    type === "m.room.create" && rules.authorization.roomIdIsCreateHash
      ? create
      : authEvents.find(
          ({ pdu }) => pdu.type === type && pdu.state_key === stateKey,
        ),
  );
}
