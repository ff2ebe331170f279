import type { JsonObject } from "./json.ts";

const VALUES = ["world_readable", "shared", "invited", "joined"] as const;

export type HistoryVisibility = (typeof VALUES)[number];

/** "If no history_visibility is set, or if the value is not understood, […] shared." */
export function parseHistoryVisibility(
  content: JsonObject | undefined,
): HistoryVisibility {
  const value = content?.["history_visibility"];
  return VALUES.find((known) => known === value) ?? "shared";
}

/** How a user stands to one event. */
export interface EventView {
  /** In the state before the event. */
  visibility: HistoryVisibility;
  /** Of an `m.room.history_visibility` event: what it sets. */
  visibilityAfter?: HistoryVisibility;
  /** The user's, in the state before the event. */
  membership: string | undefined;
  /** Of the user's own `m.room.member` event: what it sets. */
  membershipAfter?: string;
  /** The user joined the room at any point after the event was sent. */
  hasJoinedLater: boolean;
}

/** Whether a user may see an event, by the room's history visibility alone. */
export function isVisible({
  visibility,
  visibilityAfter = visibility,
  membership,
  membershipAfter = membership,
  hasJoinedLater,
}: EventView): boolean {
  const visibilities = [visibility, visibilityAfter];
  const memberships = [membership, membershipAfter];
  return visibilities.some((ofRoom) =>
    memberships.some((ofUser) => isVisibleAt(ofRoom, ofUser, hasJoinedLater)),
  );
}

function isVisibleAt(
  visibility: HistoryVisibility,
  membership: string | undefined,
  hasJoinedLater: boolean,
): boolean {
  // If the history_visibility was set to world_readable, allow.
  if (visibility === "world_readable") return true;
  // If the user's membership was join, allow.
  if (membership === "join") return true;
  // If history_visibility was set to shared, and the user joined the room at any point after
  // the event was sent, allow.
  if (visibility === "shared" && hasJoinedLater) return true;
  // If the user's membership was invite, and the history_visibility was set to invited, allow.
  // Otherwise, deny.
  return visibility === "invited" && membership === "invite";
}

/**
 * Whether a server that is or was in the room may have an event: whether a user
 * of it could see it.
 */
export function isVisibleToServer(
  visibility: HistoryVisibility,
  hadJoinedUser: boolean,
  hadInvitedUser: boolean,
): boolean {
  switch (visibility) {
    case "world_readable":
    case "shared":
      return true;
    case "invited":
      return hadJoinedUser || hadInvitedUser;
    case "joined":
      return hadJoinedUser;
  }
}
