import type { RoomEvent } from "../event.ts";
import { serverNameOf } from "../ids.ts";
import type { RoomRules } from "../room-version.ts";
import { checkAliases } from "./aliases.ts";
import { authStateOf, type StateLookup } from "./auth-state.ts";
import { checkCreate } from "./create.ts";
import { checkMember } from "./member.ts";
import { checkPowerLevels } from "./power-levels.ts";
import { checkRedaction } from "./redaction.ts";
import { hasSignatureOf, type IsSignedBy } from "./signed-by.ts";
import { rejected, type Verdict } from "./verdict.ts";

export type { StateLookup } from "./auth-state.ts";
export type { Verdict } from "./verdict.ts";

/**
 * Whether the authorisation rules allow an event in a state. The rule about its
 * `auth_events` is `checkAuthEvents`. `isSignedBy` says whether a server has
 * signed the event; without it, a signature that is there counts as verified,
 * which holds for events that passed the signature checks on receipt.
 */
export function checkAuth(
  rules: RoomRules,
  event: RoomEvent,
  state: StateLookup,
  isSignedBy: IsSignedBy = hasSignatureOf,
): Verdict {
  const { pdu } = event;
  if (pdu.type === "m.room.create") return checkCreate(rules, event);

  // [Version 12] If the event's room_id is not an event ID for an accepted (not rejected)
  // m.room.create event, with the sigil ! instead of $, reject.
  const create = state("m.room.create", "");
  if (create === undefined || create.isRejected) {
    return rejected("The room has no create event.");
  }
  if (
    rules.authorization.roomIdIsCreateHash &&
    event.roomId !== `!${create.eventId.slice(1)}`
  ) {
    return rejected("The room id is not that of the create event.");
  }
  // If the content of the m.room.create event in the room state has the property m.federate
  // set to false, and the sender domain of the event does not match the sender domain of the
  // create event, reject.
  if (
    create.pdu.content["m.federate"] === false &&
    serverNameOf(pdu.sender) !== serverNameOf(create.pdu.sender)
  ) {
    return rejected("The room is not open to other servers.");
  }
  // [Versions 1 to 5] If type is m.room.aliases: […]
  if (pdu.type === "m.room.aliases" && rules.authorization.specialCaseAliases) {
    return checkAliases(event);
  }
  const auth = authStateOf(rules, create, state);
  if (pdu.type === "m.room.member") {
    return checkMember(rules, event, auth, isSignedBy);
  }
  // If the sender's current membership state is not join, reject.
  if (auth.membershipOf(pdu.sender) !== "join") {
    return rejected("The sender is not in the room.");
  }
  const senderPower = auth.powerOf(pdu.sender);
  // If type is m.room.third_party_invite: Allow if and only if sender's current power level is
  // greater than or equal to the invite level.
  if (pdu.type === "m.room.third_party_invite") {
    return senderPower >= auth.levelOf("invite")
      ? "allowed"
      : rejected("The sender may not invite.");
  }
  // If the event type's required power level is greater than the sender's power level, reject.
  if (auth.requiredLevelOf(pdu) > senderPower) {
    return rejected(`The sender may not send events of the type ${pdu.type}.`);
  }
  // If the event has a state_key that starts with an @ and does not match the sender, reject.
  if (pdu.state_key?.startsWith("@") && pdu.state_key !== pdu.sender) {
    return rejected("The state key is another user's id.");
  }
  // If type is m.room.power_levels: […]
  if (pdu.type === "m.room.power_levels") {
    return checkPowerLevels(rules, event, auth);
  }
  // [Versions 1 and 2] If type is m.room.redaction: […]
  if (pdu.type === "m.room.redaction" && rules.authorization.redactionAuth) {
    return checkRedaction(event, auth);
  }
  // Otherwise, allow.
  return "allowed";
}
