import { listThreads } from "../../domain/rooms/list-threads.ts";
import { parsePagingToken } from "../../domain/rooms/paging-token.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

const MAX_LIMIT = 1_000;
const LIMIT = 20;

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads */
export const getThreads = endpoint<{
  params: { roomId: string };
  query: { include?: "all" | "participated"; from?: string; limit?: number };
}>({
  method: "get",
  path: "/_matrix/client/v1/rooms/:roomId/threads",
  also: ["/_matrix/client/unstable/org.matrix.msc3856/rooms/:roomId/threads"],
  auth: "user",
  guest: true,
  query: {
    type: "object",
    properties: {
      include: { type: "string", enum: ["all", "participated"] },
      from: { type: "string" },
      limit: { type: "integer", minimum: 0 },
    },
  },
  async handle(edges, { requester, params, query }) {
    const { from, include, limit = LIMIT } = query;
    const { chunk, nextBatch } = await listThreads(
      edges,
      requester,
      params.roomId,
      {
        from: from === undefined ? null : parsePagingToken(from, "from"),
        limit: Math.min(Math.max(limit, 1), MAX_LIMIT),
        isParticipated: include === "participated",
      },
    );
    const end = nextBatch === undefined ? "" : `,"next_batch":"${nextBatch}"`;
    return reply({ body: `{"chunk":[${chunk.join(",")}]${end}}` });
  },
});
