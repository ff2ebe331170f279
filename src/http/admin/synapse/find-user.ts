import { MatrixError } from "../../../core/errors.ts";
import { assertAvailable } from "../../../domain/accounts/register.ts";
import { findOwnerOfAddress } from "../../../domain/accounts/third-party-ids.ts";
import { findUserOfExternalId } from "../../../domain/admin/users/external-ids.ts";
import { endpoint } from "../../endpoint.ts";
import { BOOLEAN, object, USER_ID } from "../../json-schema.ts";
import { native } from "../tools.ts";
import { V1 } from "./common.ts";

export const getUsernameFree = endpoint<{ query: { username: string } }>({
  method: "get",
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  path: `${V1}/username_available`,
  also: [native("/look-up/username")],
  query: {
    type: "object",
    properties: { username: { type: "string" } },
    required: ["username"],
  },
  doc: {
    id: "isUsernameFree",
    says: "Tells whether a name can be registered; one that cannot is refused with the reason.",
    answers: object({ available: BOOLEAN }),
  },
  async handle(edges, { query }) {
    await assertAvailable(edges, query.username);
    return { available: true };
  },
});

export const getUserOfThirdPartyId = endpoint<{
  params: { medium: string; address: string };
}>({
  method: "get",
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  path: `${V1}/threepid/:medium/users/:address`,
  also: [native("/look-up/third-party-ids/:medium/:address")],
  doc: {
    id: "findUserOfThirdPartyId",
    says: "Finds whose a mail address or a phone number is.",
    answers: object({ user_id: USER_ID }),
  },
  async handle(edges, { params }) {
    const { medium, address } = params;
    const owner =
      medium === "email" || medium === "msisdn"
        ? await findOwnerOfAddress(edges, medium, address)
        : undefined;
    return found(owner);
  },
});

export const getUserOfExternalId = endpoint<{
  params: { provider: string; externalId: string };
}>({
  method: "get",
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  path: `${V1}/auth_providers/:provider/users/:externalId`,
  also: [native("/look-up/external-ids/:provider/:externalId")],
  doc: {
    id: "findUserOfExternalId",
    says: "Finds who signs in with an account of an identity provider.",
    answers: object({ user_id: USER_ID }),
  },
  async handle(edges, { params }) {
    const { provider, externalId: subject } = params;
    return found(await findUserOfExternalId(edges, { provider, subject }));
  },
});

function found(userId: string | undefined): { user_id: string } {
  if (userId !== undefined) return { user_id: userId };
  throw new MatrixError("M_NOT_FOUND", "There is no such user.");
}
