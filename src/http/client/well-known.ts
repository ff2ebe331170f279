import { MatrixError } from "../../core/errors.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient */
export const getWellKnownClient = endpoint({
  method: "get",
  path: "/.well-known/matrix/client",
  auth: "none",
  async handle({ settings }) {
    const { publicBaseUrl, wellKnown } = settings;
    if (publicBaseUrl === undefined) throw notSet();
    const { identityServer, extra } = wellKnown;
    return {
      ...extra,
      ...(identityServer !== undefined && {
        "m.identity_server": { base_url: identityServer },
      }),
      "m.homeserver": { base_url: publicBaseUrl },
    };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport */
export const getWellKnownSupport = endpoint({
  method: "get",
  path: "/.well-known/matrix/support",
  auth: "none",
  async handle({ settings }) {
    const { contacts, page } = settings.support;
    if (contacts.length === 0 && page === undefined) throw notSet();
    return {
      contacts: contacts.map(({ role, matrixId, emailAddress }) => ({
        role,
        ...(matrixId !== undefined && { matrix_id: matrixId }),
        ...(emailAddress !== undefined && { email_address: emailAddress }),
      })),
      ...(page !== undefined && { support_page: page }),
    };
  },
});

/**
 * No other server is talked with yet, so none is told where to, unless the settings say so.
 * https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver
 */
export const getWellKnownServer = endpoint({
  method: "get",
  path: "/.well-known/matrix/server",
  auth: "none",
  async handle({ settings: { wellKnown } }) {
    if (wellKnown.server === undefined) throw notSet();
    return { "m.server": wellKnown.server };
  },
});

const notSet = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "Nothing is set here.");
