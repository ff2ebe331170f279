import type { Edges } from "../../edges.ts";
import { listEventHeadsById } from "../../storage/events.ts";

export interface Relation {
  /** The root of the thread that the event says it is in. */
  thread: string | null;
  relatesTo: string | null;
}

const MAX_HOPS = 3;

/**
 * The thread of each event, by following what it relates to until something is in
 * one. Null stands for the main timeline, where thread roots are too.
 * https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts
 * @param known relations of events that are not stored yet, by event id
 */
export async function findThreads(
  { db }: Pick<Edges, "db">,
  roomNid: number,
  relations: readonly Relation[],
  known: ReadonlyMap<string, Relation> = new Map(),
): Promise<(string | null)[]> {
  const found = new Map(known);
  const current = relations.map((relation) => ({ ...relation }));
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const open = current.filter((r) => r.thread === null && r.relatesTo);
    if (open.length === 0) break;
    const wanted = new Set(open.map(({ relatesTo }) => relatesTo!));
    const missing = [...wanted].filter((eventId) => !found.has(eventId));
    for (const head of await listEventHeadsById(db, roomNid, missing)) {
      found.set(head.eventId, head);
    }
    for (const relation of open) {
      const parent = found.get(relation.relatesTo!);
      relation.thread = parent?.thread ?? null;
      relation.relatesTo = parent?.relatesTo ?? null;
    }
  }
  return current.map(({ thread }) => thread);
}

/** Whether an event's relations, of whatever kind, lead up to another event. */
export async function leadsUpTo(
  { db }: Pick<Edges, "db">,
  roomNid: number,
  { relatesTo }: Pick<Relation, "relatesTo">,
  eventId: string,
): Promise<boolean> {
  let parent = relatesTo;
  for (let hop = 0; hop < MAX_HOPS && parent !== null; hop++) {
    if (parent === eventId) return true;
    const [head] = await listEventHeadsById(db, roomNid, [parent]);
    parent = head?.relatesTo ?? null;
  }
  return false;
}
