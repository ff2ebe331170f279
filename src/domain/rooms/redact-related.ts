import type { JsonObject } from "../../core/json.ts";
import type { EventHead } from "../../storage/events.ts";
import { listRedactable } from "../../storage/relations.ts";
import type { Requester } from "../accounts/requester.ts";
import {
  cannotRedact,
  mayRedactOthers,
  REDACTION_POWER,
  redactionOf,
} from "./redaction-proposal.ts";
import { loadRoomHead, readState, stateAt } from "./room-head.ts";
import type { RoomIdentity } from "./room-identity.ts";
import { writeToRoom, type WriterEdges } from "./room-writer.ts";

const AT_ONCE = 100;
const MOST_ROUNDS = 100;
const ANY = "*";

/**
 * Redacts what relates to an event that is about to be redacted, as far as the user
 * may (MSC3912). It comes before the event itself: whoever asks again after a
 * failure finds what is left.
 */
export async function redactRelated(
  edges: WriterEdges,
  { userId, isSuspended }: Pick<Requester, "userId" | "isSuspended">,
  room: RoomIdentity,
  target: EventHead,
  { content, relTypes }: { content: JsonObject; relTypes: readonly string[] },
): Promise<void> {
  const isMighty = await hasPower(edges, room, userId);
  if (target.sender !== userId && !isMighty) throw cannotRedact();
  const wanted = {
    relTypes: relTypes.includes(ANY)
      ? null
      : relTypes.filter((type) => !type.includes("\0")),
    sender: isMighty && !isSuspended ? null : userId,
  };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const related = await listRedactable(edges.db, target, wanted, AT_ONCE);
    if (related.length === 0) return;
    const proposals = related.map((event) =>
      redactionOf(room.rules, userId, event, content),
    );
    await writeToRoom(edges, room.roomNid, proposals);
  }
}

async function hasPower(
  edges: WriterEdges,
  { roomNid, rules }: RoomIdentity,
  userId: string,
): Promise<boolean> {
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, REDACTION_POWER);
  const state = (type: string, key: string) => stateAt(head, type, key);
  return mayRedactOthers(rules, state, userId);
}
