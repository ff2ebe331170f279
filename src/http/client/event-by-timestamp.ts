import { getEventByTime } from "../../domain/rooms/event-by-time.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event */
export const getEventByTimestamp = endpoint<{
  params: { roomId: string };
  query: { ts: number; dir: "b" | "f" };
}>({
  method: "get",
  path: "/_matrix/client/v1/rooms/:roomId/timestamp_to_event",
  also: [
    "/_matrix/client/unstable/org.matrix.msc3030/rooms/:roomId/timestamp_to_event",
  ],
  auth: "user",
  guest: true,
  rateLimit: "other",
  query: {
    type: "object",
    properties: {
      ts: { type: "integer" },
      dir: { type: "string", enum: ["b", "f"] },
    },
    required: ["ts", "dir"],
  },
  async handle(edges, { requester, params, query: { ts, dir } }) {
    const { userId } = requester;
    const isBackwards = dir === "b";
    const found = await getEventByTime(
      edges,
      userId,
      params.roomId,
      ts,
      isBackwards,
    );
    return { event_id: found.eventId, origin_server_ts: found.originServerTs };
  },
});
