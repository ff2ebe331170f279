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
