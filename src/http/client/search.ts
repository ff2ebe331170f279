import { searchMessages } from "../../domain/search/search-messages.ts";
import {
  parseSearchRequest,
  type SearchBody,
} from "../../domain/search/search-request.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

const LIMIT = { type: "integer", minimum: 0 };

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search */
export const postSearch = endpoint<{
  query: { next_batch?: string };
  body: { search_categories: { room_events?: SearchBody } };
}>({
  method: "post",
  path: "/_matrix/client/v3/search",
  auth: "user",
  rateLimit: "search",
  query: { type: "object", properties: { next_batch: { type: "string" } } },
  body: {
    type: "object",
    properties: {
      search_categories: {
        type: "object",
        properties: {
          room_events: {
            type: "object",
            properties: {
              search_term: { type: "string", maxLength: 1_000 },
              keys: {
                type: "array",
                maxItems: 3,
                items: {
                  type: "string",
                  enum: ["content.body", "content.name", "content.topic"],
                },
              },
              filter: { type: "object" },
              order_by: { type: "string", enum: ["recent", "rank"] },
              event_context: {
                type: "object",
                properties: {
                  before_limit: LIMIT,
                  after_limit: LIMIT,
                  include_profile: { type: "boolean" },
                },
              },
              include_state: { type: "boolean" },
              groupings: {
                type: "object",
                properties: {
                  group_by: {
                    type: "array",
                    maxItems: 2,
                    items: {
                      type: "object",
                      properties: {
                        key: { type: "string", enum: ["room_id", "sender"] },
                      },
                      required: ["key"],
                    },
                  },
                },
              },
            },
            required: ["search_term"],
          },
        },
      },
    },
    required: ["search_categories"],
  },
  async handle(edges, { requester, query, body }) {
    const { room_events: asked } = body.search_categories;
    if (!asked) return { search_categories: {} };
    const request = parseSearchRequest(asked, query.next_batch);
    return reply({ body: await searchMessages(edges, requester, request) });
  },
});
