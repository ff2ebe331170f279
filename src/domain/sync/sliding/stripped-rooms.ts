import type { Edges } from "../../../edges.ts";
import { readStrippedTexts } from "../invite-section.ts";
import { BARE, type RoomResult, writeRoomEntry } from "./room-result.ts";
import type { RoomTask } from "./room-tasks.ts";

/** Rooms that the user is invited to or knocks on: all that may be seen of them is the stripped state. */
export async function readStrippedRooms(
  edges: Pick<Edges, "db" | "keyring">,
  userId: string,
  tasks: readonly RoomTask[],
): Promise<RoomResult[]> {
  const texts = await readStrippedTexts(
    edges,
    userId,
    tasks.map(({ room }) => room.standing.roomNid),
  );
  return tasks.map(({ room, config, sent, isDirect }) => {
    const { roomNid, roomId, membership } = room.standing;
    return {
      roomNid,
      roomId,
      text: writeRoomEntry({
        ...BARE,
        kind: room.kind,
        membership,
        bumpStamp: room.bump,
        isInitial: sent === null,
        isDirect: isDirect || sent ? isDirect : undefined,
        strippedState: texts.get(roomNid) ?? "[]",
      }),
      sent: {
        kind: room.kind,
        position: null,
        timelineLimit: 0,
        required: config.required.text,
        isDirect,
        hasAccountData: sent?.hasAccountData ?? false,
        hasReceipts: sent?.hasReceipts ?? false,
        members: [],
      },
      isFresh: sent === null,
      firstPosition: null,
    };
  });
}
