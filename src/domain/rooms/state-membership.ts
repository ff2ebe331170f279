import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { listCurrentStateHeads } from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import type { Requester } from "../accounts/requester.ts";
import { inviteUser, joinRoom, leaveRoom, moderateMember } from "./membership.ts";
import type { RoomIdentity } from "./room-identity.ts";
import type { WriterEdges } from "./room-writer.ts";

/** A membership set as plain state takes the same way as the endpoint made for it. */
export async function setMembershipByState(
  edges: WriterEdges,
  requester: Requester,
  { roomId, roomNid }: RoomIdentity,
  target: string,
  content: JsonObject,
): Promise<string> {
  const { membership, ...rest } = content;
  const isSelf = target === requester.userId;
  const from = ["join", "invite", "knock", "leave", "ban", "none"] as const;
  const refusal = "This user's membership cannot be changed like this.";
  switch (membership) {
    case "join":
      if (!isSelf) throw new MatrixError("M_FORBIDDEN", "You cannot join a room for somebody else.");
      await joinRoom(edges, requester, roomId, { content: rest });
      break;
    case "invite":
      await inviteUser(edges, requester, roomId, target, { content: rest });
      break;
    case "leave":
      if (isSelf) await leaveRoom(edges, requester, roomId, { content: rest });
      else {
        await moderateMember(edges, requester, roomId, target, { membership, from, refusal, content: rest });
      }
      break;
    case "ban":
      await moderateMember(edges, requester, roomId, target, { membership, from, refusal, content: rest });
      break;
    default:
      throw new MatrixError("M_BAD_JSON", `"membership" must be join, invite, leave or ban here.`);
  }
  const [head] = await listCurrentStateHeads(edges.db, roomNid, [["m.room.member", escapeText(target)]]);
  return head?.eventId ?? "";
}
