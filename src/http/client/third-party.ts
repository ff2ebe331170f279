import { endpoint } from "../endpoint.ts";

/**
 * No bridge is known here, and clients that start up ask.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocols
 */
export const getThirdPartyProtocols = endpoint({
  method: "get",
  path: "/_matrix/client/v3/thirdparty/protocols",
  auth: "user",
  async handle() {
    return {};
  },
});

/**
 * None can be added, and Element shows no settings before it has the list.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3account3pid
 */
export const getThirdPartyIdentifiers = endpoint({
  method: "get",
  path: "/_matrix/client/v3/account/3pid",
  auth: "user",
  async handle() {
    return { threepids: [] };
  },
});
