import type { RoomEvent } from "../event.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { AuthState } from "./auth-state.ts";
import { isSignedByAnyKey } from "./third-party-signature.ts";
import { rejected, type Verdict } from "./verdict.ts";

/** `content.third_party_invite.signed`, where it stands. */
function findSigned(content: JsonObject): JsonObject | undefined {
  const invite = content["third_party_invite"];
  const signed = isJsonObject(invite) ? invite["signed"] : undefined;
  return isJsonObject(signed) ? signed : undefined;
}

export function thirdPartyInviteToken(content: JsonObject): string | undefined {
  const token = findSigned(content)?.["token"];
  return typeof token === "string" ? token : undefined;
}

/** "If content has a third_party_invite property". */
export function checkThirdPartyInvite(
  event: RoomEvent,
  target: string,
  auth: AuthState,
): Verdict {
  const { content, sender } = event.pdu;
  // If target user is banned, reject.
  if (auth.membershipOf(target) === "ban") {
    return rejected("The user is banned.");
  }
  // If content.third_party_invite does not have a signed property, reject.
  const signed = findSigned(content);
  if (signed === undefined) {
    return rejected("The third-party invite is not signed.");
  }
  // If signed does not have mxid and token properties, reject.
  const { mxid, token } = signed;
  if (typeof mxid !== "string" || typeof token !== "string") {
    return rejected("The third-party invite names no user or no token.");
  }
  // If mxid does not match state_key, reject.
  if (mxid !== target) {
    return rejected("The third-party invite is for another user.");
  }
  // If there is no m.room.third_party_invite event in the current room state with state_key
  // matching token, reject.
  const invite = auth.find("m.room.third_party_invite", token);
  if (invite === undefined) {
    return rejected("The third-party invite's token is not known.");
  }
  // If sender does not match sender of the m.room.third_party_invite, reject.
  if (invite.pdu.sender !== sender) {
    return rejected("The third-party invite is of another sender.");
  }
  // If any signature in signed matches any public key in the m.room.third_party_invite event,
  // allow.
  if (isSignedByAnyKey(signed, listPublicKeys(invite.pdu.content))) {
    return "allowed";
  }
  // Otherwise, reject.
  return rejected("No key of the third-party invite has signed it.");
}

function listPublicKeys(content: JsonObject): string[] {
  const keys = new Set<string>();
  const add = (key: JsonObject[string] | undefined): void => {
    if (typeof key === "string") keys.add(key);
  };
  // A single public key in the public_key property.
  add(content["public_key"]);
  // A list of public keys in the public_keys property.
  const { public_keys: more } = content;
  if (Array.isArray(more)) {
    for (const entry of more) {
      if (isJsonObject(entry)) add(entry["public_key"]);
    }
  }
  return [...keys];
}
