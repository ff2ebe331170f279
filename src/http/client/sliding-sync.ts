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
  async handle(edges, { requester, query, body, request }) {
    const asked = await parseSlidingRequest(edges, requester, query, body);
    const text = await slidingSync(edges, asked, request.signal);
    return reply({ body: text });
  },
});
