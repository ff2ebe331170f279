import { previewUrl } from "../../domain/previews/preview-url.ts";
import { endpoint } from "../endpoint.ts";

/**
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3preview_url
 */
export const getUrlPreview = endpoint<{ query: { url: string; ts?: number } }>({
  method: "get",
  path: "/_matrix/client/v1/media/preview_url",
  also: ["/_matrix/media/v3/preview_url"],
  auth: "user",
  rateLimit: "urlPreview",
  // Pages may be slow.
  ownTurns: "previews",
  query: {
    type: "object",
    required: ["url"],
    properties: { url: { type: "string" }, ts: { type: "integer" } },
  },
  // Another machine failed, not the request.
  statuses: { M_UNKNOWN: 502 },
  handle(edges, { requester, query }) {
    return previewUrl(edges, requester, query.url, query.ts);
  },
});
