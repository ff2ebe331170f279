import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { getFilter, storeUserFilter } from "../../domain/accounts/filters.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter */
export const postFilter = endpoint<{
  params: { userId: string };
  body: JsonObject;
}>({
  method: "post",
  path: "/_matrix/client/v3/user/:userId/filter",
  auth: "user",
  guest: true,
  suspended: true,
  rateLimit: "other",
  body: { type: "object" },
  async handle(edges, { requester, params, body }) {
    assertOwn(requester.userId, params.userId);
    return { filter_id: await storeUserFilter(edges, requester.userId, body) };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridfilterfilterid */
export const getStoredFilter = endpoint<{
  params: { userId: string; filterId: string };
}>({
  method: "get",
  path: "/_matrix/client/v3/user/:userId/filter/:filterId",
  auth: "user",
  guest: true,
  async handle(edges, { requester, params }) {
    assertOwn(requester.userId, params.userId);
    return getFilter(edges, requester.userId, params.filterId);
  },
});

function assertOwn(requesterId: string, ownerId: string): void {
  if (requesterId === ownerId) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "Filters of another user are not yours.",
  );
}
