import type { UserId } from "../../core/ids.ts";
import { createRoom } from "../rooms/create-room.ts";
import { parseRoomRequest } from "../rooms/parse-room-request.ts";
import { writeToRoom, type WriterEdges } from "../rooms/room-writer.ts";

const NAME = "Content Violation Notification";
const MESSAGE =
  "Sharing illegal content on this server is not permitted and rooms in violation will be blocked.";

/** A room for those who are taken out of another one, in which they may not speak. */
export async function makeRoomInstead(
  edges: WriterEdges,
  userId: string,
  { roomName, message }: { roomName: string | null; message: string | null },
): Promise<{ roomId: string; roomNid: number }> {
  const { request } = parseRoomRequest(edges.settings, {
    preset: "public_chat",
    name: roomName ?? NAME,
    power_level_content_override: { users_default: -10 },
  });
  const owner = { userId: userId as UserId };
  const room = await createRoom(edges, owner, request, { isPublished: false });
  const content = { msgtype: "m.text", body: message ?? MESSAGE };
  await writeToRoom(edges, room.roomNid, [
    { draft: { type: "m.room.message", sender: userId, content } },
  ]);
  return room;
}
