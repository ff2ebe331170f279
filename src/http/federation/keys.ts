import { readServerKeys } from "../../domain/federation/server-keys.ts";
import { endpoint } from "../endpoint.ts";

/**
 * Tools of administrators learn the server's name here.
 * https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export const getServerKeys = endpoint({
  method: "get",
  path: "/_matrix/key/v2/server",
  auth: "none",
  rateLimit: "other",
  async handle(edges) {
    return readServerKeys(edges);
  },
});
