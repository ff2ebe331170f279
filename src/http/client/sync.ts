import {
  parseSyncRequest,
  type SyncQuery,
} from "../../domain/sync/parse-sync-request.ts";
import { sync } from "../../domain/sync/sync.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync */
export const getSync = endpoint<{ query: SyncQuery }>({
  method: "get",
  path: "/_matrix/client/v3/sync",
  auth: "user",
  guest: true,
  longPoll: true,
  query: {
    type: "object",
    properties: {
      filter: { type: "string" },
      since: { type: "string" },
      full_state: { type: "boolean" },
      set_presence: { type: "string" },
      timeout: { type: "integer" },
      use_state_after: { type: "boolean" },
      "org.matrix.msc4222.use_state_after": { type: "boolean" },
    },
  },
  // No frame of an async function: it would hold what it was called with while it waits.
  handle: (edges, { requester, query, request: { caller } }) =>
    parseSyncRequest(edges, requester, query)
      .then((asked) => sync(edges, asked, caller))
      .then(({ text, rest }) => reply({ body: text, ...(rest && { rest }) })),
});
