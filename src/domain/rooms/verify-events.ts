import type { Edges } from "../../edges.ts";
import { mergeEventText } from "../../core/event-parts.ts";
import { inspectEvent } from "../../core/inspect-event.ts";
import { readJson } from "../../core/json-reader.ts";
import {
  listEventParts,
  listEventHeadsFrom,
  type EventHead,
  type EventParts,
} from "../../storage/events.ts";
import { mapRoomIdentities } from "./room-identity.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** What was looked at so far. */
export interface Verified {
  whole: number;
  /** Redacted, or destroyed with their keys: the skeleton is what their id is of. */
  skeletons: number;
  /** Each with what is wrong with it. */
  damaged: { eventId: string; fault: string }[];
}

const AT_ONCE = 500;

/**
 * Reads every stored event, and says of which one the bytes are not those that its id and
 * its content hash are of (SECURITY.md, row 46).
 * @returns what each step of at most 500 events showed
 */
export async function* verifyEvents(edges: Needs): AsyncGenerator<Verified> {
  for (let after = 0; ;) {
    const heads = await listEventHeadsFrom(edges.db, after, AT_ONCE);
    if (heads.length === 0) return;
    yield await verifyAll(edges, heads);
    after = heads.at(-1)!.nid;
  }
}

async function verifyAll(
  edges: Needs,
  heads: readonly EventHead[],
): Promise<Verified> {
  const { db, keyring } = edges;
  const parts = new Map(
    (
      await listEventParts(
        db,
        heads.map(({ nid }) => nid),
      )
    ).map((each) => [each.nid, each]),
  );
  const [rooms, keys] = await Promise.all([
    mapRoomIdentities(
      edges,
      heads.map(({ roomNid }) => roomNid),
    ),
    keyring.findByIds(
      [...parts.values()].flatMap(({ firstKey, secondKey }) =>
        [firstKey, secondKey].filter((keyId) => keyId !== null),
      ),
    ),
  ]);
  const verified: Verified = { whole: 0, skeletons: 0, damaged: [] };
  for (const head of heads) {
    const { eventId } = head;
    const stored = parts.get(head.nid);
    // It was destroyed between the two reads.
    if (!stored) continue;
    try {
      const content = openContent(stored, eventId);
      const text = mergeEventText(stored.skeleton, content ?? null);
      const { rules } = rooms.get(head.roomNid)!;
      const event = inspectEvent(rules, readJson(text));
      const hasContent = content !== undefined;
      const fault =
        "invalid" in event
          ? event.invalid
          : faultOf(event, eventId, hasContent);
      if (fault !== undefined) verified.damaged.push({ eventId, fault });
      else if ("isRedactedCopy" in event && event.isRedactedCopy)
        verified.skeletons += 1;
      else verified.whole += 1;
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      verified.damaged.push({ eventId, fault });
    }
  }
  return verified;

  function openContent(
    { firstKey, secondKey, sealed }: EventParts,
    eventId: string,
  ): string | undefined {
    if (firstKey === null || secondKey === null || sealed === null)
      return undefined;
    return keyring.open({ firstKey, secondKey, sealed }, eventId, keys);
  }
}

function faultOf(
  event: { eventId: string; isRedactedCopy: boolean },
  eventId: string,
  hasContent: boolean,
): string | undefined {
  if (event.eventId !== eventId)
    return `Its bytes are those of ${event.eventId}.`;
  if (hasContent && event.isRedactedCopy)
    return "Its content is not what its hash is of.";
  return undefined;
}
