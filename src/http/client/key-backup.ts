import { MatrixError } from "../../core/errors.ts";
import { endpoint } from "../endpoint.ts";

/**
 * Nobody has a backup yet. Clients take this answer for that, and any other for
 * a fault that they try again.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversion
 */
export const getBackupVersion = endpoint({
  method: "get",
  path: "/_matrix/client/v3/room_keys/version",
  auth: "user",
  async handle() {
    throw new MatrixError("M_NOT_FOUND", "There is no key backup.");
  },
});
