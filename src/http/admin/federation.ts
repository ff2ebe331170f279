import { getDestination } from "../../domain/admin/destinations.ts";
import { endpoint } from "../endpoint.ts";
import {
  atBoth,
  choiceOf,
  choiceProperty,
  directionOf,
  listProperties,
  type ListQuery,
} from "./tools.ts";

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
  ...atBoth("/federation/destinations"),
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

export const getOneDestination = endpoint<OneDestination>({
  method: "get",
  ...atBoth("/federation/destinations/:destination"),
  auth: "admin",
  permission: "federation.read",
  rateLimit: "admin",
  async handle(_edges, { params }) {
    return getDestination(params.destination);
  },
});

export const getRoomsOfDestination = endpoint<
  OneDestination & { query: ListQuery }
>({
  method: "get",
  ...atBoth("/federation/destinations/:destination/rooms"),
  auth: "admin",
  permission: "federation.read",
  rateLimit: "admin",
  query: { type: "object", properties: listProperties },
  async handle(_edges, { params, query }) {
    directionOf(query);
    return getDestination(params.destination);
  },
});

export const postResetConnection = endpoint<OneDestination>({
  method: "post",
  ...atBoth("/federation/destinations/:destination/reset_connection"),
  auth: "admin",
  permission: "federation.write",
  rateLimit: "admin",
  async handle(_edges, { params }) {
    return getDestination(params.destination);
  },
});
