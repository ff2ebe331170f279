import { MatrixError } from "../../core/errors.ts";
import { isServerName } from "../../core/server-name.ts";
import { listPublicRooms } from "../../domain/directory/public-rooms.ts";
import { endpoint } from "../endpoint.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const PATH = "/_matrix/client/v3/publicRooms";
const PAGE = {
  limit: { type: "integer", minimum: 0 },
  since: { type: "string" },
};

/** 0 asks for as many as the server likes to give. */
const limitIn = (limit = 0): number =>
  limit === 0 ? DEFAULT_LIMIT : Math.min(limit, MAX_LIMIT);

/** The list of another server is theirs to give, and they cannot be reached. */
function assertOurs(server: string | undefined, serverName: string): void {
  if (server === undefined || server === serverName) return;
  if (!isServerName(server)) {
    throw new MatrixError("M_INVALID_PARAM", '"server" is no server name.');
  }
  throw new MatrixError("M_UNKNOWN", `The server ${server} cannot be reached.`);
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms */
export const getPublicRooms = endpoint<{
  query: { limit?: number; since?: string; server?: string };
}>({
  method: "get",
  path: PATH,
  auth: "none",
  rateLimit: "search",
  query: {
    type: "object",
    properties: { ...PAGE, server: { type: "string" } },
  },
  statuses: { M_UNKNOWN: 502 },
  async handle(edges, { query }) {
    assertOurs(query.server, edges.settings.serverName);
    return listPublicRooms(edges, {
      limit: limitIn(query.limit),
      since: query.since,
      term: "",
      roomTypes: undefined,
    });
  },
});

interface Search {
  query: { server?: string };
  body: {
    limit?: number;
    since?: string;
    filter?: {
      generic_search_term?: string | null;
      room_types?: (string | null)[] | null;
    };
    include_all_networks?: boolean;
    third_party_instance_id?: string;
  };
}

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms */
export const postPublicRooms = endpoint<Search>({
  method: "post",
  path: PATH,
  auth: "user",
  guest: true,
  rateLimit: "search",
  query: { type: "object", properties: { server: { type: "string" } } },
  body: {
    type: "object",
    properties: {
      ...PAGE,
      filter: {
        type: "object",
        properties: {
          generic_search_term: {
            type: "string",
            nullable: true,
            maxLength: 1_000,
          },
          room_types: {
            type: "array",
            nullable: true,
            maxItems: 100,
            items: { type: "string", nullable: true },
          },
        },
      },
      include_all_networks: { type: "boolean" },
      third_party_instance_id: { type: "string" },
    },
  },
  statuses: { M_UNKNOWN: 502 },
  async handle(edges, { query, body }) {
    assertOurs(query.server, edges.settings.serverName);
    const {
      limit,
      since,
      filter = {},
      third_party_instance_id: network,
    } = body;
    // No application service has brought a network of its own.
    if (network) return { chunk: [], total_room_count_estimate: 0 };
    return listPublicRooms(edges, {
      limit: limitIn(limit),
      since,
      term: filter.generic_search_term ?? "",
      roomTypes: filter.room_types ?? undefined,
    });
  },
});
