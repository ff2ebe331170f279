import { listOwnThirdPartyIds } from "../../domain/accounts/third-party-ids.ts";
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
 * None can be added by clients. Element shows no settings before it has the list, and
 * offers notifications by mail for the addresses in it.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3account3pid
 */
export const getThirdPartyIdentifiers = endpoint({
  method: "get",
  path: "/_matrix/client/v3/account/3pid",
  auth: "user",
  async handle(edges, { requester }) {
    const found = await listOwnThirdPartyIds(edges, requester.userId);
    return {
      threepids: found.map(({ medium, address, addedTs }) => ({
        medium,
        address,
        validated_at: addedTs,
        added_at: addedTs,
      })),
    };
  },
});
