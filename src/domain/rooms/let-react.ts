import { isJsonObject, type JsonValue } from "../../core/json.ts";
import type { Requester } from "../accounts/requester.ts";
import { getJoinedRoom } from "./joined-room.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import type { WriterEdges } from "./room-writer.ts";
import { setRoomState } from "./set-state.ts";

const LEVELS = "m.room.power_levels";
const REACTION = "m.reaction";

/** Gives whoever has no power of their own in a room the power to react, where they lack it. */
export async function letReact(
  edges: WriterEdges,
  requester: Requester,
  roomId: string,
): Promise<void> {
  const { roomNid } = await getJoinedRoom(edges, requester.userId, roomId);
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, [[LEVELS, ""]]);
  const content = stateAt(head, LEVELS, "")?.pdu.content ?? {};
  const { events_default: forAll, users_default: own } = content;
  const events = isJsonObject(content["events"]) ? content["events"] : {};
  const usual = levelOf(own);
  if (usual >= levelOf(events[REACTION] ?? forAll)) return;
  await setRoomState(edges, requester, roomId, {
    ...{ type: LEVELS, stateKey: "" },
    content: { ...content, events: { ...events, [REACTION]: usual } },
  });
}

const levelOf = (level: JsonValue | undefined): number =>
  typeof level === "number" ? level : 0;
