import type { RoomEvent } from "../event.ts";
import { serverNameOf } from "../ids.ts";
import type { RoomRules } from "../room-version.ts";
import type { AuthState } from "./auth-state.ts";
import { checkJoin } from "./join.ts";
import type { IsSignedBy } from "./signed-by.ts";
import { checkThirdPartyInvite } from "./third-party-invite.ts";
import { rejected, type Verdict } from "./verdict.ts";

/** "If type is m.room.member". */
export function checkMember(
  rules: RoomRules,
  event: RoomEvent,
  auth: AuthState,
  isSignedBy: IsSignedBy,
): Verdict {
  const { content, state_key: target } = event.pdu;
  const { membership, join_authorised_via_users_server: authoriser } = content;
  // If there is no state_key property, or no membership property in content, reject.
  if (target === undefined || membership === undefined) {
    return rejected("A member event without a user or a membership.");
  }
  // [Version 8 on] If content has a join_authorised_via_users_server key: If the event is not
  // validly signed by the homeserver of the user ID denoted by the key, reject.
  if (rules.authorization.restrictedJoin && authoriser !== undefined) {
    const serverName =
      typeof authoriser === "string" ? serverNameOf(authoriser) : undefined;
    if (serverName === undefined || !isSignedBy(event, serverName)) {
      return rejected("The server that authorised the join has not signed it.");
    }
  }
  switch (typeof membership === "string" ? membership : "") {
    case "join":
      return checkJoin(rules, event, target, auth);
    case "invite":
      return checkInvite(event, target, auth);
    case "leave":
      return checkLeave(rules, event, target, auth);
    case "ban":
      return checkBan(event, target, auth);
    case "knock":
      if (rules.authorization.knocking) {
        return checkKnock(rules, event, target, auth);
      }
  }
  // Otherwise, the membership is unknown. Reject.
  return rejected("The membership is unknown.");
}

function checkInvite(
  event: RoomEvent,
  target: string,
  auth: AuthState,
): Verdict {
  const { sender, content } = event.pdu;
  // If content has a third_party_invite property: […]
  if (content["third_party_invite"] !== undefined) {
    return checkThirdPartyInvite(event, target, auth);
  }
  // If the sender's current membership state is not join, reject.
  if (auth.membershipOf(sender) !== "join") {
    return rejected("The sender is not in the room.");
  }
  // If target user's current membership state is join or ban, reject.
  const current = auth.membershipOf(target);
  if (current === "join" || current === "ban") {
    return rejected("The user is in the room already, or banned from it.");
  }
  // If the sender's power level is greater than or equal to the invite level, allow.
  if (auth.powerOf(sender) >= auth.levelOf("invite")) return "allowed";
  // Otherwise, reject.
  return rejected("The sender may not invite.");
}

function checkLeave(
  rules: RoomRules,
  event: RoomEvent,
  target: string,
  auth: AuthState,
): Verdict {
  const { sender } = event.pdu;
  const current = auth.membershipOf(target);
  // If the sender matches state_key, allow if and only if that user's current membership state
  // is invite or join [version 7 on: or knock].
  if (sender === target) {
    return current === "invite" ||
      current === "join" ||
      (current === "knock" && rules.authorization.knocking)
      ? "allowed"
      : rejected("The user is not in the room, invited to it or knocking.");
  }
  // If the sender's current membership state is not join, reject.
  if (auth.membershipOf(sender) !== "join") {
    return rejected("The sender is not in the room.");
  }
  // If the target user's current membership state is ban, and the sender's power level is less
  // than the ban level, reject.
  const power = auth.powerOf(sender);
  if (current === "ban" && power < auth.levelOf("ban")) {
    return rejected("The sender may not lift bans.");
  }
  // If the sender's power level is greater than or equal to the kick level, and the target
  // user's power level is less than the sender's power level, allow.
  if (power >= auth.levelOf("kick") && auth.powerOf(target) < power) {
    return "allowed";
  }
  // Otherwise, reject.
  return rejected("The sender may not remove the user.");
}

function checkBan(event: RoomEvent, target: string, auth: AuthState): Verdict {
  const { sender } = event.pdu;
  // If the sender's current membership state is not join, reject.
  if (auth.membershipOf(sender) !== "join") {
    return rejected("The sender is not in the room.");
  }
  // If the sender's power level is greater than or equal to the ban level, and the target
  // user's power level is less than the sender's power level, allow.
  const power = auth.powerOf(sender);
  if (power >= auth.levelOf("ban") && auth.powerOf(target) < power) {
    return "allowed";
  }
  // Otherwise, reject.
  return rejected("The sender may not ban the user.");
}

function checkKnock(
  rules: RoomRules,
  event: RoomEvent,
  target: string,
  auth: AuthState,
): Verdict {
  const joinRule = auth.joinRule();
  // If the join_rule is anything other than knock [version 10 on: or knock_restricted], reject.
  if (
    joinRule !== "knock" &&
    !(joinRule === "knock_restricted" && rules.authorization.knockRestricted)
  ) {
    return rejected("The room takes no knocks.");
  }
  // If sender does not match state_key, reject.
  if (event.pdu.sender !== target) {
    return rejected("Nobody can knock for another user.");
  }
  // If the sender's current membership is not ban, invite, or join, allow.
  const current = auth.membershipOf(target);
  if (current !== "ban" && current !== "invite" && current !== "join") {
    return "allowed";
  }
  // Otherwise, reject.
  return rejected("The user is banned, invited or in the room already.");
}
