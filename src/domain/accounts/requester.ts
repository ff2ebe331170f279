import type { UserId } from "../../core/ids.ts";
import type { Permission } from "../admin/permissions.ts";

/** Whoever an access token speaks for. */
export interface Requester {
  userId: UserId;
  deviceId: string;
  /** The row of the access token, for logout and for rows scoped to a session. */
  tokenId: number;
  /** They ask by a token of the admin API, which carries these permissions and no session. */
  adminToken?: { permissions: readonly Permission[] };
  /** From where they ask. */
  ip?: string;
  isGuest: boolean;
  /** May read, leave, log out, and little else. */
  isSuspended: boolean;
  /** Is answered as if it were done, and does nothing that others see. */
  isShadowBanned?: boolean;
  /** The administrator who acts in the user's place. */
  actedBy?: string;
  /** In place of the limit of messages that all have; null for none. */
  messageLimit?: { perSecond: number; burst: number } | null;
}

export interface Authenticated extends Requester {
  /** May log out, and nothing else. */
  isLocked: boolean;
}

/** Where a request came from, for last-seen times and audit records. */
export interface ClientOrigin {
  ip: string;
  userAgent: string;
}

/**
 * Finds whom an access token speaks for; throws `M_UNKNOWN_TOKEN` (with
 * `soft_logout` where a refresh may help).
 */
export type Authenticate = (
  token: string,
  origin: ClientOrigin,
) => Promise<Authenticated>;
