import { listOwnPowers } from "../../domain/admin/own-permissions.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  object,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { SCOPE, scopeAnswer } from "./scope.ts";

/** What who asks may do; for somebody without any role that is nothing. */
export const getMyPermissions = endpoint({
  method: "get",
  path: "/_myelin/admin/v1/me/permissions",
  auth: "user",
  adminToken: true,
  rateLimit: "admin",
  doc: {
    id: "getMyPermissions",
    says: "Tells what one may do oneself, and within which scopes.",
    answers: object({
      user_id: USER_ID,
      permissions: arrayOf(TEXT),
      bindings: arrayOf(
        object({
          role: TEXT,
          scope: SCOPE,
          permissions: arrayOf(TEXT),
          expires_ts: orNull(TIME),
        }),
      ),
    }),
  },
  async handle(edges, { requester }) {
    const powers = await listOwnPowers(edges, requester);
    const all = powers.flatMap(({ permissions }) => permissions);
    return {
      user_id: requester.userId,
      permissions: [...new Set(all)].sort(),
      bindings: powers.map((power) => ({
        role: power.roleId,
        scope: scopeAnswer(power),
        permissions: power.permissions,
        expires_ts: power.expiresTs,
      })),
    };
  },
});
