import { MatrixError } from "../../core/errors.ts";
import { listNotifications } from "../../domain/push/notifications.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3notifications */
export const getNotifications = endpoint<{
  query: { from?: string; limit?: number; only?: string };
}>({
  method: "get",
  path: "/_matrix/client/v3/notifications",
  auth: "user",
  rateLimit: "other",
  query: {
    type: "object",
    properties: {
      from: { type: "string" },
      limit: { type: "integer", minimum: 0 },
      only: { type: "string" },
    },
  },
  async handle(edges, { requester, query }) {
    const { notifications, next } = await listNotifications(edges, requester, {
      before: parseFrom(query.from),
      limit: Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT),
      isHighlightOnly: query.only === "highlight",
    });
    const token = next === null ? "" : `,"next_token":"${next}"`;
    return reply({
      body: `{"notifications":[${notifications.join(",")}]${token}}`,
    });
  },
});

/** The position before which a page begins. */
function parseFrom(from: string | undefined): number {
  if (from === undefined || from === "") return Number.MAX_SAFE_INTEGER;
  const position = /^[0-9]{1,16}$/.test(from) ? Number(from) : NaN;
  if (Number.isSafeInteger(position)) return position;
  throw new MatrixError("M_INVALID_PARAM", "The from token is none of ours.");
}
