import { searchUsers } from "../../domain/directory/search-users.ts";
import { endpoint } from "../endpoint.ts";

const USUAL_LIMIT = 10;
const MAX_LIMIT = 100;

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch */
export const postUserSearch = endpoint<{
  body: { search_term: string; limit?: number };
}>({
  method: "post",
  path: "/_matrix/client/v3/user_directory/search",
  auth: "user",
  rateLimit: "search",
  body: {
    type: "object",
    properties: {
      search_term: { type: "string", maxLength: 500 },
      limit: { type: "integer", minimum: 0 },
    },
    required: ["search_term"],
  },
  async handle(edges, { requester, body }) {
    const { search_term: term, limit = USUAL_LIMIT } = body;
    const most = Math.min(limit, MAX_LIMIT);
    return searchUsers(edges, requester.userId, term, most);
  },
});
