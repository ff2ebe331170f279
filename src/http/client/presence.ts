import { MatrixError } from "../../core/errors.ts";
import {
  getPresence,
  setOwnPresence,
  type PresenceState,
} from "../../domain/accounts/presence.ts";
import { endpoint } from "../endpoint.ts";

const PATH = "/_matrix/client/v3/presence/:userId/status";
type OfUser = { params: { userId: string } };

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3presenceuseridstatus */
export const getPresenceStatus = endpoint<OfUser>({
  method: "get",
  path: PATH,
  auth: "user",
  async handle(edges, { requester, params }) {
    return getPresence(edges, requester.userId, params.userId);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3presenceuseridstatus */
export const putPresenceStatus = endpoint<
  OfUser & { body: { presence: PresenceState; status_msg?: string | null } }
>({
  method: "put",
  path: PATH,
  auth: "user",
  guest: true,
  rateLimit: "ephemeral",
  body: {
    type: "object",
    properties: {
      presence: { type: "string", enum: ["online", "unavailable", "offline"] },
      status_msg: { type: ["string", "null"], maxLength: 1024 },
    },
    required: ["presence"],
  },
  async handle(edges, { requester, params, body }) {
    if (params.userId !== requester.userId)
      throw new MatrixError(
        "M_FORBIDDEN",
        "Presence is told of oneself alone.",
      );
    const status = body.status_msg ?? undefined;
    await setOwnPresence(edges, requester, body.presence, status);
    return {};
  },
});
