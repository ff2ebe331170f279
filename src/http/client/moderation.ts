import {
  type Moderation,
  moderateMember,
} from "../../domain/rooms/membership.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";

/** Kick, ban and unban differ in what they ask of the target alone. */
const moderation = (act: string, moderation: Moderation): Endpoint =>
  endpoint<{
    params: { roomId: string };
    body: { user_id: string; reason?: string };
  }>({
    method: "post",
    path: `/_matrix/client/v3/rooms/:roomId/${act}`,
    auth: "user",
    rateLimit: "message",
    body: {
      type: "object",
      properties: { user_id: { type: "string" }, reason: { type: "string" } },
      required: ["user_id"],
    },
    pretend: () => ({}),
    async handle(edges, { requester, params, body }) {
      const { user_id: target, reason } = body;
      const content = reason === undefined ? {} : { reason };
      const { roomId } = params;
      await moderateMember(
        edges,
        requester,
        roomId,
        target,
        moderation,
        content,
      );
      return {};
    },
  });

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidkick */
export const postKick = moderation("kick", {
  membership: "leave",
  from: ["join", "invite", "knock"],
  refusal: "This user is not in the room.",
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidban */
export const postBan = moderation("ban", {
  membership: "ban",
  from: ["join", "invite", "knock", "leave", "ban", "none"],
  refusal: "",
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidunban */
export const postUnban = moderation("unban", {
  membership: "leave",
  from: ["ban"],
  refusal: "This user is not banned from the room.",
});
