import { readHierarchy } from "../../domain/directory/space-hierarchy.ts";
import { endpoint } from "../endpoint.ts";

const USUAL_LIMIT = 50;
const MAX_LIMIT = 500;
const MAX_DEPTH = 20;

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy */
export const getHierarchy = endpoint<{
  params: { roomId: string };
  query: {
    suggested_only?: boolean;
    limit?: number;
    max_depth?: number;
    from?: string;
  };
}>({
  method: "get",
  path: "/_matrix/client/v1/rooms/:roomId/hierarchy",
  auth: "user",
  guest: true,
  rateLimit: "search",
  query: {
    type: "object",
    properties: {
      suggested_only: { type: "boolean" },
      limit: { type: "integer", minimum: 1 },
      max_depth: { type: "integer", minimum: 0 },
      from: { type: "string" },
    },
  },
  async handle(edges, { requester, params, query }) {
    const {
      suggested_only: isSuggestedOnly = false,
      limit = USUAL_LIMIT,
      max_depth: maxDepth = MAX_DEPTH,
      from,
    } = query;
    return readHierarchy(edges, requester.userId, params.roomId, {
      isSuggestedOnly,
      limit: Math.min(limit, MAX_LIMIT),
      maxDepth: Math.min(maxDepth, MAX_DEPTH),
      from,
    });
  },
});
