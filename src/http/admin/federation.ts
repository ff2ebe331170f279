import { getDestination } from "../../domain/admin/destinations.ts";
import { endpoint } from "../endpoint.ts";
import {
  EMPTY,
  INTEGER,
  named,
  object,
  orNull,
  ROOM_ID,
  TEXT,
  TIME,
} from "../json-schema.ts";
import {
  atBoth,
  choiceOf,
  choiceProperty,
  directionOf,
  listProperties,
  native,
  synapse,
  type ListQuery,
} from "./tools.ts";
import { listAnswer, listQuery, type PageQuery } from "./paging.ts";

const ORDERS = [
  ...["destination", "retry_last_ts", "retry_interval"],
  ...["failure_ts", "last_successful_stream_ordering"],
] as const;

type OneDestination = { params: { destination: string } };

/** https://element-hq.github.io/synapse/latest/usage/administration/admin_api/federation.html */
export const getDestinations = endpoint<{
  query: ListQuery & { destination?: string; order_by?: string };
}>({
  method: "get",
  path: synapse("/federation/destinations"),
  auth: "admin",
  permission: "federation.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...listProperties,
      destination: { type: "string", maxLength: 255 },
      order_by: choiceProperty,
    },
  },
  async handle(_edges, { query }) {
    choiceOf("order_by", query.order_by, ORDERS);
    directionOf(query);
    return { destinations: [], total: 0 };
  },
});

const DESTINATION = named(
  "Destination",
  object({
    destination: TEXT,
    retry_last_ts: TIME,
    retry_interval: INTEGER,
    failure_ts: orNull(TIME),
    last_successful_stream_ordering: orNull(INTEGER),
  }),
);

/** The same as a list like all others. */
export const listDestinations = endpoint<{
  query: PageQuery & { destination?: string };
}>({
  method: "get",
  path: native("/federation/destinations"),
  auth: "admin",
  permission: "federation.read",
  rateLimit: "admin",
  query: listQuery(ORDERS, { destination: { type: "string", maxLength: 255 } }),
  doc: {
    id: "listDestinations",
    says: "Lists the servers that this one calls.",
    answers: listAnswer("destinations", DESTINATION),
  },
  async handle() {
    return { destinations: [], total: 0 };
  },
});

export const getOneDestination = endpoint<OneDestination>({
  method: "get",
  ...atBoth("/federation/destinations/:destination"),
  auth: "admin",
  permission: "federation.read",
  rateLimit: "admin",
  doc: {
    id: "getDestination",
    says: "Reads how another server is reached.",
    answers: DESTINATION,
  },
  async handle(_edges, { params }) {
    return getDestination(params.destination);
  },
});

export const getRoomsOfDestination = endpoint<
  OneDestination & { query: ListQuery }
>({
  method: "get",
  path: synapse("/federation/destinations/:destination/rooms"),
  auth: "admin",
  permission: "federation.read",
  rateLimit: "admin",
  query: { type: "object", properties: listProperties },
  async handle(_edges, { params, query }) {
    directionOf(query);
    return getDestination(params.destination);
  },
});

/** The same as a list like all others. */
export const listRoomsOfDestination = endpoint<
  OneDestination & { query: PageQuery }
>({
  method: "get",
  path: native("/federation/destinations/:destination/rooms"),
  auth: "admin",
  permission: "federation.read",
  rateLimit: "admin",
  query: listQuery(["room_id"]),
  doc: {
    id: "listRoomsOfDestination",
    says: "Lists the rooms that this server shares with another one.",
    answers: listAnswer(
      "rooms",
      object({ room_id: ROOM_ID, stream_ordering: INTEGER }),
    ),
  },
  async handle(_edges, { params }) {
    return getDestination(params.destination);
  },
});

export const postResetConnection = endpoint<OneDestination>({
  method: "post",
  ...atBoth("/federation/destinations/:destination/reset_connection"),
  auth: "admin",
  permission: "federation.write",
  rateLimit: "admin",
  doc: {
    id: "resetConnection",
    says: "Has another server tried anew at once.",
    answers: EMPTY,
  },
  async handle(_edges, { params }) {
    return getDestination(params.destination);
  },
});
