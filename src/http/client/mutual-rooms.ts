import { findMutualRooms } from "../../domain/directory/mutual-rooms.ts";
import { endpoint } from "../endpoint.ts";

/**
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mutual_rooms
 * Before it was specified (MSC2666) the tokens had other names.
 */
export const getMutualRooms = endpoint<{
  query: { user_id: string; from?: string; batch_token?: string };
}>({
  method: "get",
  path: "/_matrix/client/v1/mutual_rooms",
  also: ["/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms"],
  auth: "user",
  rateLimit: "search",
  query: {
    type: "object",
    properties: {
      user_id: { type: "string" },
      from: { type: "string" },
      batch_token: { type: "string" },
    },
    required: ["user_id"],
  },
  async handle(edges, { requester, query }) {
    const { user_id: other, from = query.batch_token } = query;
    const found = await findMutualRooms(edges, requester.userId, other, from);
    const { roomIds, count, next } = found;
    return {
      joined: roomIds,
      count,
      ...(next !== undefined && { next_batch: next, next_batch_token: next }),
    };
  },
});
