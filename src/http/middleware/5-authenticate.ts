import { MatrixError } from "../../core/errors.ts";
import type {
  Authenticate,
  Authenticated,
} from "../../domain/accounts/requester.ts";
import { findAccessToken } from "../access-token.ts";
import type { Middleware } from "../context.ts";
import type { Endpoint } from "../endpoint.ts";

/** Finds who asks, and refuses those whom the endpoint does not serve. */
export function authenticateRequest(
  authenticate: Authenticate,
  isQueryTokenAllowed: boolean,
): Middleware {
  return async (ctx, next) => {
    const { endpoint } = ctx.state.route;
    if (endpoint.auth === "none") return next();
    const token = findAccessToken(
      ctx.req.rawHeaders,
      ctx.state.query,
      isQueryTokenAllowed,
    );
    if (token !== undefined) {
      const userAgent = ctx.req.headers["user-agent"] ?? "";
      const origin = { ip: ctx.state.ip, userAgent };
      const begun = performance.now();
      const requester = await authenticate(token, origin);
      ctx.state.waitedMs = performance.now() - begun;
      assertServed(endpoint, requester);
      ctx.state.requester = requester;
    } else if (endpoint.auth !== "optional") {
      throw new MatrixError("M_MISSING_TOKEN", "An access token is needed.");
    }
    return next();
  };
}

/** What keeps an account its owner's, and what another one's power would be used for. */
const isOwnersAlone = ({ auth, adminToken, ownerOnly }: Endpoint): boolean =>
  auth === "admin" || adminToken === true || ownerOnly === true;

/**
 * https://spec.matrix.org/v1.19/client-server-api/#account-locking
 * https://spec.matrix.org/v1.19/client-server-api/#account-suspension
 */
function assertServed(endpoint: Endpoint, requester: Authenticated): void {
  const takesAdminTokens =
    endpoint.auth === "admin" || endpoint.adminToken === true;
  if (requester.adminToken && !takesAdminTokens) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "This token is good for the admin API alone.",
    );
  }
  if (requester.actedBy !== undefined && isOwnersAlone(endpoint)) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "An administrator who acts as somebody else cannot do this.",
    );
  }
  if (requester.isLocked && endpoint.locked !== true) {
    throw new MatrixError("M_USER_LOCKED", "This account is locked.", {
      soft_logout: true,
    });
  }
  const isRead = endpoint.method === "get";
  if (requester.isSuspended && !isRead && endpoint.suspended !== true) {
    throw new MatrixError(
      "M_USER_SUSPENDED",
      "This account is suspended: it can read, and leave rooms.",
    );
  }
  const isForGuests = endpoint.auth === "optional" || endpoint.guest === true;
  if (requester.isGuest && !isForGuests) {
    throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", "Guests cannot do this.");
  }
}
