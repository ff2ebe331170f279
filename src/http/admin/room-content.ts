import {
  fetchEvent,
  findRoomEventByTime,
  readRoomContext,
  readRoomHistory,
} from "../../domain/admin/room-content.ts";
import { getRoomForAdmin } from "../../domain/admin/room-details.ts";
import { readHierarchy } from "../../domain/directory/space-hierarchy.ts";
import { joined, parseFilter, pointIn } from "../client/room-history.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  EVENT,
  EVENT_ID,
  object,
  open,
  TEXT,
  TIME,
} from "../json-schema.ts";
import { reply } from "../reply.ts";
import {
  atBoth,
  groundsOf,
  groundsProperties,
  type GroundsQuery,
} from "./tools.ts";

const MAX_LIMIT = 1_000;
const LIMIT = { type: "integer", minimum: 0 };

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-messages-api */
export const getAdminMessages = endpoint<{
  params: { roomId: string };
  query: GroundsQuery & {
    dir?: "b" | "f";
    from?: string;
    to?: string;
    limit?: number;
    filter?: string;
  };
}>({
  method: "get",
  ...atBoth("/rooms/:roomId/messages"),
  auth: "admin",
  permission: "rooms.content.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...groundsProperties,
      dir: { type: "string", enum: ["b", "f"] },
      from: { type: "string" },
      to: { type: "string" },
      limit: LIMIT,
      filter: { type: "string" },
    },
  },
  doc: {
    id: "listMessages",
    says: "Reads what is said in a room, as `/messages` of the client-server API.",
    answers: object(
      { chunk: arrayOf(EVENT), start: TEXT, state: arrayOf(EVENT) },
      { end: TEXT },
    ),
  },
  async handle(edges, { params, query, request, ...by }) {
    const filter = parseFilter(query.filter || undefined);
    const grounds = groundsOf(request, query);
    const page = await readRoomHistory(
      edges,
      { ...by, grounds },
      params.roomId,
      {
        from: pointIn(query.from || undefined, "from"),
        to: pointIn(query.to || undefined, "to"),
        isBackwards: query.dir === "b",
        limit: Math.min(Math.max(query.limit ?? filter.limit, 1), MAX_LIMIT),
        filter,
      },
    );
    const end = page.end === undefined ? "" : `,"end":"${page.end}"`;
    const body = `{"chunk":${joined(page.chunk)},"start":"${page.start}"${end},"state":[]}`;
    return reply({ body });
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#event-context-api */
export const getAdminContext = endpoint<{
  params: { roomId: string; eventId: string };
  query: GroundsQuery & { limit?: number; filter?: string };
}>({
  method: "get",
  ...atBoth("/rooms/:roomId/context/:eventId"),
  auth: "admin",
  permission: "rooms.content.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...groundsProperties,
      limit: LIMIT,
      filter: { type: "string" },
    },
  },
  doc: {
    id: "getContext",
    says: "Reads what was said around an event, as `/context` of the client-server API.",
    answers: object({
      event: EVENT,
      events_before: arrayOf(EVENT),
      events_after: arrayOf(EVENT),
      start: TEXT,
      end: TEXT,
      state: arrayOf(EVENT),
    }),
  },
  async handle(edges, { params, query, request, ...by }) {
    const filter = parseFilter(query.filter || undefined);
    const limit = Math.min(query.limit ?? filter.limit, MAX_LIMIT);
    const grounds = groundsOf(request, query);
    const asked = { limit, filter };
    const found = await readRoomContext(
      edges,
      { ...by, grounds },
      params,
      asked,
    );
    const body = `{"event":${found.event},"events_before":${joined(found.eventsBefore)},"events_after":${joined(found.eventsAfter)},"start":"${found.start}","end":"${found.end}","state":${joined(found.state)}}`;
    return reply({ body });
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-timestamp-to-event-api */
export const getAdminEventByTimestamp = endpoint<{
  params: { roomId: string };
  query: GroundsQuery & { ts: number; dir?: "b" | "f" };
}>({
  method: "get",
  ...atBoth("/rooms/:roomId/timestamp_to_event"),
  auth: "admin",
  permission: "rooms.content.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...groundsProperties,
      ts: { type: "integer", minimum: 0 },
      dir: { type: "string", enum: ["b", "f"] },
    },
    required: ["ts"],
  },
  doc: {
    id: "findEventByTime",
    says: "Finds the event next to a time.",
    answers: object({ event_id: EVENT_ID, origin_server_ts: TIME }),
  },
  async handle(edges, { params, query, request, ...by }) {
    const grounds = groundsOf(request, query);
    const found = await findRoomEventByTime(
      edges,
      { ...by, grounds },
      params.roomId,
      { ts: query.ts, isBackwards: query.dir === "b" },
    );
    return {
      event_id: found.eventId,
      origin_server_ts: found.originServerTs,
    };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/fetch_event.html */
export const getFetchedEvent = endpoint<{
  params: { eventId: string };
  query: GroundsQuery;
}>({
  method: "get",
  ...atBoth("/fetch_event/:eventId"),
  auth: "admin",
  permission: "rooms.content.read",
  rateLimit: "admin",
  query: { type: "object", properties: groundsProperties },
  doc: {
    id: "getEvent",
    says: "Reads an event of whichever room.",
    answers: object({ event: EVENT }),
  },
  async handle(edges, { params, query, request, ...by }) {
    const grounds = groundsOf(request, query);
    const event = await fetchEvent(edges, { ...by, grounds }, params.eventId);
    return reply({ body: `{"event":${event}}` });
  },
});

const USUAL_ROOMS = 50;
const MOST_ROOMS = 500;
const DEEPEST = 20;

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-hierarchy-api */
export const getAdminHierarchy = endpoint<{
  params: { roomId: string };
  query: { from?: string; limit?: number; max_depth?: number };
}>({
  method: "get",
  ...atBoth("/rooms/:roomId/hierarchy"),
  auth: "admin",
  permission: "rooms.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      from: { type: "string" },
      limit: { type: "integer", minimum: 1 },
      max_depth: { type: "integer", minimum: 0 },
    },
  },
  doc: {
    id: "getHierarchy",
    says: "Reads the rooms beneath a space, as `/hierarchy` of the client-server API.",
    answers: object(
      { rooms: arrayOf(open("As the client-server API has it.")) },
      { next_batch: TEXT },
    ),
  },
  async handle(edges, { params, query, requester }) {
    const { limit = USUAL_ROOMS, max_depth: maxDepth = DEEPEST, from } = query;
    await getRoomForAdmin(edges, params.roomId);
    return readHierarchy(edges, requester, params.roomId, {
      isSuggestedOnly: false,
      limit: Math.min(limit, MOST_ROOMS),
      maxDepth: Math.min(maxDepth, DEEPEST),
      from,
    });
  },
});
