import { MatrixError } from "../../core/errors.ts";
import type { Authenticate } from "../../domain/accounts/requester.ts";
import { findAccessToken } from "../access-token.ts";
import type { Middleware } from "../context.ts";

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
      const requester = await authenticate(token, origin);
      if (requester.isGuest && !mayGuestsAsk(endpoint)) {
        throw new MatrixError(
          "M_GUEST_ACCESS_FORBIDDEN",
          "Guests cannot do this.",
        );
      }
      ctx.state.requester = requester;
    } else if (endpoint.auth !== "optional") {
      throw new MatrixError("M_MISSING_TOKEN", "An access token is needed.");
    }
    return next();
  };
}

const mayGuestsAsk = (endpoint: { auth: string; guest?: boolean }): boolean =>
  endpoint.auth === "optional" || endpoint.guest === true;
