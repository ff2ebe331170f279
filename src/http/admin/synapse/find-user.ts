import { MatrixError } from "../../../core/errors.ts";
import { assertAvailable } from "../../../domain/accounts/register.ts";
import { findOwnerOfAddress } from "../../../domain/accounts/third-party-ids.ts";
import { findUserOfExternalId } from "../../../domain/admin/users/external-ids.ts";
import { endpoint } from "../../endpoint.ts";
import { V1 } from "./common.ts";

export const getUsernameFree = endpoint<{ query: { username: string } }>({
  method: "get",
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  path: `${V1}/username_available`,
  query: {
    type: "object",
    properties: { username: { type: "string" } },
    required: ["username"],
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
  async handle(edges, { params }) {
    const { provider, externalId: subject } = params;
    return found(await findUserOfExternalId(edges, { provider, subject }));
  },
});

function found(userId: string | undefined): { user_id: string } {
  if (userId !== undefined) return { user_id: userId };
  throw new MatrixError("M_NOT_FOUND", "There is no such user.");
}
