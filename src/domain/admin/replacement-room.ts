import type { UserId } from "../../core/ids.ts";
import { createRoom, type CreationOptions } from "../rooms/create-room.ts";
import { parseRoomRequest } from "../rooms/parse-room-request.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";

const NAME = "Content Violation Notification";
const MESSAGE =
  "Sharing illegal content on this server is not permitted and rooms in violation will be blocked.";

/**
 * A room for those who are taken out of another one, in which they may not speak.
 * @param also commits with it
 */
export async function makeRoomInstead(
  edges: WriterEdges,
  userId: string,
  { roomName, message }: { roomName: string | null; message: string | null },
  also: NonNullable<CreationOptions["also"]>,
): Promise<void> {
  const { request } = parseRoomRequest(edges.settings, {
    preset: "public_chat",
    name: roomName ?? NAME,
    power_level_content_override: { users_default: -10 },
  });
  const owner = { userId: userId as UserId };
  const content = { msgtype: "m.text", body: message ?? MESSAGE };
  await createRoom(edges, owner, request, {
    isPublished: false,
    firstEvents: [{ type: "m.room.message", sender: userId, content }],
    also,
  });
}
