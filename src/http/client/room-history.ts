import {
  parseRoomEventFilter,
  type RoomEventFilter,
} from "../../core/filter.ts";
import { readJson } from "../../core/json-reader.ts";
import { getHeardEvent, readContext } from "../../domain/rooms/context.ts";
import { readHistory } from "../../domain/rooms/history.ts";
import { parsePagingToken } from "../../domain/rooms/paging-token.ts";
import { presentEvents } from "../../domain/rooms/present.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

const MAX_LIMIT = 1_000;
const MAX_FILTER_BYTES = 64 * 1024;
const LIMIT = { type: "integer", minimum: 0 };

export function parseFilter(text: string | undefined): RoomEventFilter {
  if (text === undefined) return parseRoomEventFilter({});
  const limits = { maxBytes: MAX_FILTER_BYTES, maxDepth: 20, maxKeys: 1_000 };
  return parseRoomEventFilter(readJson(Buffer.from(text), limits));
}

export const pointIn = (token: string | undefined, name: string) =>
  token === undefined ? null : parsePagingToken(token, name);

export const joined = (texts: readonly string[]) => `[${texts.join(",")}]`;

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages */
export const getMessages = endpoint<{
  params: { roomId: string };
  query: {
    dir: "b" | "f";
    from?: string;
    to?: string;
    limit?: number;
    filter?: string;
  };
}>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/messages",
  auth: "user",
  rateLimit: "history",
  guest: true,
  query: {
    type: "object",
    properties: {
      dir: { type: "string", enum: ["b", "f"] },
      from: { type: "string" },
      to: { type: "string" },
      limit: LIMIT,
      filter: { type: "string" },
    },
    required: ["dir"],
  },
  async handle(edges, { requester, params, query }) {
    const filter = parseFilter(query.filter);
    const page = await readHistory(edges, requester, params.roomId, {
      from: pointIn(query.from, "from"),
      to: pointIn(query.to, "to"),
      isBackwards: query.dir === "b",
      limit: Math.min(Math.max(query.limit ?? filter.limit, 1), MAX_LIMIT),
      filter,
    });
    const start = JSON.stringify(query.from ?? page.start);
    const end = page.end === undefined ? "" : `,"end":"${page.end}"`;
    const body = `{"chunk":${joined(page.chunk)},"start":${start}${end},"state":${joined(page.state)}}`;
    return reply({ body });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid */
export const getContext = endpoint<{
  params: { roomId: string; eventId: string };
  query: { limit?: number; filter?: string };
}>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/context/:eventId",
  auth: "user",
  rateLimit: "history",
  guest: true,
  query: {
    type: "object",
    properties: { limit: LIMIT, filter: { type: "string" } },
  },
  async handle(edges, { requester, params, query }) {
    const { roomId, eventId } = params;
    const filter = parseFilter(query.filter);
    const limit = Math.min(query.limit ?? filter.limit, MAX_LIMIT);
    const asked = { limit, filter };
    const found = await readContext(edges, requester, roomId, eventId, asked);
    const body = `{"event":${found.event},"events_before":${joined(found.eventsBefore)},"events_after":${joined(found.eventsAfter)},"start":"${found.start}","end":"${found.end}","state":${joined(found.state)}}`;
    return reply({ body });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomideventeventid */
export const getEvent = endpoint<{
  params: { roomId: string; eventId: string };
}>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/event/:eventId",
  auth: "user",
  rateLimit: "history",
  guest: true,
  async handle(edges, { requester, params }) {
    const { roomId, eventId } = params;
    const { userId } = requester;
    const { shown } = await getHeardEvent(edges, userId, roomId, eventId);
    const as = { withRoomId: true };
    const [body] = await presentEvents(edges, requester, [shown], as);
    return reply({ body: body! });
  },
});
