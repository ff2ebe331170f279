import type { Pdu } from "../event.ts";
import type { RoomRules } from "../room-version.ts";
import { thirdPartyInviteToken } from "./third-party-invite.ts";

/**
 * The type and state key of the state that belongs in an event's `auth_events`:
 * the auth events selection algorithm. No pair comes twice.
 */
export function selectAuthEvents(
  rules: RoomRules,
  event: Pick<Pdu, "type" | "sender" | "state_key" | "content">,
): [type: string, stateKey: string][] {
  // The auth_events for the m.room.create event in a room is empty; for other events […]
  if (event.type === "m.room.create") return [];
  const selected: [string, string][] = [];
  // Depending on the room version, the m.room.create event.
  if (!rules.authorization.roomIdIsCreateHash) {
    selected.push(["m.room.create", ""]);
  }
  // The current m.room.power_levels event, if any.
  selected.push(["m.room.power_levels", ""]);
  // The sender's current m.room.member event, if any.
  const members = new Set([event.sender]);
  if (event.type === "m.room.member") {
    const { membership, join_authorised_via_users_server: authoriser } =
      event.content;
    // The target's current m.room.member event, if any.
    if (event.state_key !== undefined) members.add(event.state_key);
    // If membership is join, invite or knock, the current m.room.join_rules event, if any.
    if (
      membership === "join" ||
      membership === "invite" ||
      membership === "knock"
    ) {
      selected.push(["m.room.join_rules", ""]);
    }
    // If membership is invite and content contains a third_party_invite property, the current
    // m.room.third_party_invite event with state_key matching
    // content.third_party_invite.signed.token, if any.
    const token = thirdPartyInviteToken(event.content);
    if (membership === "invite" && token !== undefined) {
      selected.push(["m.room.third_party_invite", token]);
    }
    // If membership is join, content.join_authorised_via_users_server is present, and the room
    // version supports restricted rooms, then the m.room.member event with state_key matching.
    if (
      membership === "join" &&
      typeof authoriser === "string" &&
      rules.authorization.restrictedJoin
    ) {
      members.add(authoriser);
    }
  }
  for (const member of members) selected.push(["m.room.member", member]);
  return selected;
}
