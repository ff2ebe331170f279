import type { JsonObject } from "../../core/json.ts";
import { isCallEvent } from "../../core/policy/call-events.ts";
import { notJoined } from "../rooms/append-event.ts";
import type { EventDraft } from "../rooms/proposal.ts";
import {
  areUnlimited,
  assertAllowed,
  decideNow,
  isWithheld,
  refusedBy,
  type PolicyEdges,
} from "./enforce.ts";

type Draft = Pick<EventDraft, "type" | "sender" | "stateKey" | "content">;

/**
 * Whether who asks may write what they themselves are the senders of. What the server
 * writes by itself, or for an administrator in somebody's name, is not asked about.
 * @throws MatrixError M_FORBIDDEN
 */
export async function assertMayWrite(
  edges: PolicyEdges,
  roomNid: number,
  drafts: readonly Draft[],
): Promise<void> {
  for (const draft of drafts)
    if (draft.sender === edges.asker?.userId)
      await assertMaySend(edges, roomNid, draft);
}

/** @throws MatrixError M_FORBIDDEN */
export async function assertMaySend(
  edges: PolicyEdges,
  roomNid: number,
  { type, sender, stateKey, content }: Draft,
): Promise<void> {
  if (areUnlimited(edges)) return;
  const { membership } = content;
  if (type === "m.room.member" && membership === "invite")
    return assertMayInvite(edges, sender, [stateKey ?? ""], roomNid);
  // Joins are asked about where they are made; to leave is everybody's right.
  if (type === "m.room.member" && stateKey === sender) return;
  if (await isWithheld(edges, sender, roomNid)) throw notJoined();
  const target = { roomNid, eventType: type };
  await assertAllowed(edges, sender, "send", target);
  // A call that nobody could leave any more would go on for ever.
  if (isCallEvent(type) && !isEndOfCall(type, content))
    await assertAllowed(edges, sender, "call", target);
}

const isEndOfCall = (type: string, content: JsonObject): boolean =>
  type === "m.call.hangup" ||
  type === "m.call.reject" ||
  Object.keys(content).every((key) => key === "leave_reason");

/**
 * Whether somebody may invite others, and whether these may come. How they will come
 * nobody knows yet: what depends on that alone keeps nobody from being invited.
 * @throws MatrixError M_FORBIDDEN
 */
export async function assertMayInvite(
  edges: PolicyEdges,
  sender: string,
  targets: readonly string[],
  roomNid?: number,
): Promise<void> {
  if (areUnlimited(edges) || targets.length === 0) return;
  const room = roomNid === undefined ? {} : { roomNid };
  await assertAllowed(edges, sender, "invite", room);
  for (const target of targets)
    for (const action of ["invite", "join"] as const) {
      const [decision] = await decideNow(edges, target, action, [room], {
        doubt: "allow",
      });
      if (!decision!.isAllowed) throw refusedBy(decision!);
    }
}
