import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { UserId } from "../../core/ids.ts";
import { findAdminToken } from "../../storage/admin-tokens.ts";
import { isWithin, parseIp, parseNetwork } from "../../util/ip-address.ts";
import type { Authenticated, ClientOrigin } from "../accounts/requester.ts";
import { hashToken } from "../accounts/tokens.ts";
import { isPermission } from "./permissions.ts";

const PREFIX = "mya_";

/** Tokens of the admin API are told from those of sessions by how they begin. */
export const isAdminToken = (token: string): boolean =>
  token.startsWith(PREFIX);

export const newAdminToken = ({ random }: Pick<Edges, "random">): string =>
  `${PREFIX}${random.token()}`;

/**
 * Whom a token of the admin API speaks for. It is asked for each time: that it was ended,
 * or that its time is over, holds in every process at once.
 */
export async function authenticateAdminToken(
  { db }: Pick<Edges, "db">,
  token: string,
  { ip }: Pick<ClientOrigin, "ip">,
): Promise<Authenticated> {
  const row = await findAdminToken(db, hashToken(token));
  // Whoever found a token elsewhere is not told that it is one.
  if (!row || !isFrom(ip, row.networks)) {
    throw new MatrixError(
      "M_UNKNOWN_TOKEN",
      "This access token is not valid.",
      {
        soft_logout: false,
      },
    );
  }
  return {
    userId: row.userId as UserId,
    deviceId: "",
    tokenId: row.tokenId,
    ip,
    adminToken: { permissions: row.permissions.filter(isPermission) },
    isGuest: row.isGuest,
    isSuspended: row.isSuspended,
    isLocked: row.isLocked,
  };
}

function isFrom(address: string, networks: readonly string[]): boolean {
  if (networks.length === 0) return true;
  const ip = parseIp(address);
  return (
    ip !== undefined &&
    networks.some((text) => {
      const network = parseNetwork(text);
      return network !== undefined && isWithin(ip, network);
    })
  );
}
