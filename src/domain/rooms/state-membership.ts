import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Requester } from "../accounts/requester.ts";
import {
  inviteUser,
  joinRoom,
  knockOnRoom,
  leaveRoom,
  type MembershipChange,
  moderateMember,
} from "./membership.ts";
import type { WriterEdges } from "./room-writer.ts";

const FROM = ["join", "invite", "knock", "leave", "ban", "none"] as const;

/** A membership set as plain state takes the same way as the endpoint made for it. */
export async function setMembershipByState(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
  target: string,
  { membership, ...content }: JsonObject,
): Promise<string> {
  const isSelf = target === requester.userId;
  const moderate = (to: "leave" | "ban"): Promise<MembershipChange> =>
    moderateMember(
      edges,
      requester,
      roomId,
      target,
      { membership: to, from: FROM, refusal: "" },
      content,
    );
  const change = async (): Promise<MembershipChange> => {
    switch (membership) {
      case "join":
        if (isSelf) return joinRoom(edges, requester, roomId, content);
        throw forSelfOnly("join");
      case "knock":
        if (isSelf) return knockOnRoom(edges, requester, roomId, content);
        throw forSelfOnly("knock");
      case "invite":
        return inviteUser(edges, requester, roomId, target, content);
      case "leave":
        return isSelf
          ? leaveRoom(edges, requester, roomId, content)
          : moderate(membership);
      case "ban":
        return moderate(membership);
      default:
        throw new MatrixError(
          "M_BAD_JSON",
          '"membership" must be join, invite, knock, leave or ban.',
        );
    }
  };
  return (await change()).eventId;
}

const forSelfOnly = (act: string): MatrixError =>
  new MatrixError("M_FORBIDDEN", `Nobody can ${act} for somebody else.`);
