import { parsePagingToken } from "../../domain/rooms/paging-token.ts";
import {
  readRelations,
  RECURSION_DEPTH,
} from "../../domain/rooms/related-events.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

const MAX_LIMIT = 1_000;
const LIMIT = 20;
const PATH = "rooms/:roomId/relations/:eventId";

/** The parts of the path that a form of it lacks are "". */
interface Params {
  roomId: string;
  eventId: string;
  relType: string;
  eventType: string;
}

interface Query {
  dir?: "b" | "f";
  from?: string;
  to?: string;
  limit?: number;
  recurse?: boolean;
}

const tokenIn = (token: string | undefined, name: string) =>
  token === undefined ? null : parsePagingToken(token, name);

/**
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventidreltypeeventtype
 * and its shorter forms; clients of the time before them ask at `unstable`.
 */
export const getRelations = endpoint<{ params: Params; query: Query }>({
  method: "get",
  path: `/_matrix/client/v1/${PATH}/:relType/:eventType`,
  also: [
    `/_matrix/client/v1/${PATH}/:relType`,
    `/_matrix/client/v1/${PATH}`,
    `/_matrix/client/unstable/${PATH}/:relType/:eventType`,
    `/_matrix/client/unstable/${PATH}/:relType`,
    `/_matrix/client/unstable/${PATH}`,
  ],
  auth: "user",
  query: {
    type: "object",
    properties: {
      dir: { type: "string", enum: ["b", "f"] },
      from: { type: "string" },
      to: { type: "string" },
      limit: { type: "integer", minimum: 0 },
      recurse: { type: "boolean" },
    },
  },
  async handle(edges, { requester, params, query }) {
    const { roomId, eventId, relType, eventType } = params;
    const { recurse } = query;
    const found = await readRelations(edges, requester, roomId, eventId, {
      ...(relType !== "" && { relType }),
      ...(eventType !== "" && { eventType }),
      from: tokenIn(query.from, "from"),
      to: tokenIn(query.to, "to"),
      isBackwards: query.dir !== "f",
      limit: Math.min(Math.max(query.limit ?? LIMIT, 1), MAX_LIMIT),
      isRecursive: recurse === true,
    });
    const rest = JSON.stringify({
      ...(found.nextBatch !== undefined && { next_batch: found.nextBatch }),
      ...(query.from !== undefined && { prev_batch: query.from }),
      ...(recurse === true && { recursion_depth: RECURSION_DEPTH }),
    });
    const more = rest === "{}" ? "}" : `,${rest.slice(1)}`;
    return reply({ body: `{"chunk":[${found.chunk.join(",")}]${more}` });
  },
});
