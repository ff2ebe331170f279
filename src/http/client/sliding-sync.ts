import {
  parseSlidingRequest,
  type SlidingBody,
  type SlidingQuery,
} from "../../domain/sync/sliding/parse-sliding-request.ts";
import { slidingSync } from "../../domain/sync/sliding/sliding-sync.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";
import { slidingSyncSchema } from "./sliding-sync-schema.ts";

/** https://github.com/matrix-org/matrix-spec-proposals/pull/4186 */
export const postSlidingSync = endpoint<{
  query: SlidingQuery;
  body: SlidingBody;
}>({
  method: "post",
  path: "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
  auth: "user",
  guest: true,
  suspended: true,
  rateLimit: "other",
  longPoll: true,
  maxBodyBytes: 256 * 1024,
  query: {
    type: "object",
    properties: {
      pos: { type: "string" },
      timeout: { type: "integer" },
      set_presence: { type: "string" },
    },
  },
  body: slidingSyncSchema,
  // As of GET /sync: nothing is held but what was read of it.
  handle: (edges, { requester, query, body, request: { caller } }) =>
    parseSlidingRequest(edges, requester, query, body)
      .then((asked) => slidingSync(edges, asked, caller))
      .then((text) => reply({ body: text })),
});
