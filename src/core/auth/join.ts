import type { RoomEvent } from "../event.ts";
import type { RoomRules } from "../room-version.ts";
import type { AuthState } from "./auth-state.ts";
import { rejected, type Verdict } from "./verdict.ts";

/** "If membership is join". */
export function checkJoin(
  rules: RoomRules,
  event: RoomEvent,
  target: string,
  auth: AuthState,
): Verdict {
  const { sender } = event.pdu;
  const { authorization } = rules;
  // If the only previous event is an m.room.create and the state_key is the creator [version
  // 11 on: the sender of the m.room.create], allow.
  const [previous, ...others] = event.prevEventIds;
  const creator = authorization.creatorFromSender
    ? auth.create.pdu.sender
    : auth.create.pdu.content["creator"];
  if (
    previous === auth.create.eventId &&
    others.length === 0 &&
    target === creator
  ) {
    return "allowed";
  }
  // If the sender does not match state_key, reject.
  if (sender !== target) {
    return rejected("Nobody can join for another user.");
  }
  // If the sender is banned, reject.
  const current = auth.membershipOf(target);
  if (current === "ban") return rejected("The user is banned.");

  const isExpected = current === "invite" || current === "join";
  switch (auth.joinRule()) {
    // If the join_rule is invite [version 7 on: or knock] then allow if membership state is
    // invite or join.
    case "invite":
      if (isExpected) return "allowed";
      break;
    case "knock":
      if (authorization.knocking && isExpected) return "allowed";
      break;
    // If the join_rule is restricted [version 10 on: or knock_restricted]: […]
    case "restricted":
      if (authorization.restrictedJoin) {
        return checkRestrictedJoin(event, isExpected, auth);
      }
      break;
    case "knock_restricted":
      if (authorization.knockRestricted) {
        return checkRestrictedJoin(event, isExpected, auth);
      }
      break;
    // If the join_rule is public, allow.
    case "public":
      return "allowed";
  }
  // Otherwise, reject.
  return rejected("The user is not invited.");
}

function checkRestrictedJoin(
  event: RoomEvent,
  isExpected: boolean,
  auth: AuthState,
): Verdict {
  // If membership state is join or invite, allow.
  if (isExpected) return "allowed";
  // If the join_authorised_via_users_server key in content is not a user with sufficient
  // permission to invite other users or is not a joined member of the room, reject.
  const authoriser = event.pdu.content["join_authorised_via_users_server"];
  if (
    typeof authoriser !== "string" ||
    auth.powerOf(authoriser) < auth.levelOf("invite") ||
    auth.membershipOf(authoriser) !== "join"
  ) {
    return rejected("No member who may invite has authorised the join.");
  }
  // Otherwise, allow.
  return "allowed";
}
