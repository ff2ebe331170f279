import type { Edges } from "../../edges.ts";
import { openClientEvent } from "../../core/client-event.ts";
import type { Pdu } from "../../core/event.ts";
import {
  type EventParts as EventTextParts,
  mergeEvent,
} from "../../core/event-parts.ts";
import { redact } from "../../core/redaction.ts";
import type { RoomRules } from "../../core/room-version.ts";
import { unescapeText } from "../../storage/json-text.ts";
import {
  type EventHead,
  listEventHeads,
  listEventParts,
} from "../../storage/events.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { mapRoomIdentities, type RoomIdentity } from "./room-identity.ts";

/** An event, opened. Its PDU is the redacted form where it was redacted, its keys destroyed or its content damaged. */
export interface StoredEvent extends Omit<EventHead, "type" | "stateKey"> {
  type: string;
  stateKey: string | null;
  room: RoomIdentity;
  pdu: Pdu;
  /** The event for clients, without `room_id`, `unsigned` and the closing brace. */
  clientJson: string;
}

interface OpenedEvent {
  redactedBy: number | null;
  pdu: Pdu;
  clientJson: string;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

const CACHE_BYTES = 64 * 1024 * 1024;
const openedEvents = slot(
  () =>
    new WeightedCache<number, OpenedEvent>(
      CACHE_BYTES,
      ({ clientJson }) => clientJson.length * 4 + 400,
    ),
);

/**
 * Opens events, in the order of their heads. The heads are always read from the
 * database, so a redaction in another process shows at once; only what never
 * changes comes from the cache.
 */
export async function openEvents(
  edges: Needs,
  heads: readonly EventHead[],
): Promise<StoredEvent[]> {
  if (heads.length === 0) return [];
  const rooms = await mapRoomIdentities(
    edges,
    heads.map(({ roomNid }) => roomNid),
  );
  const opened = await openAll(edges, heads, rooms);
  return heads.map((head) => ({
    ...head,
    ...opened.get(head.nid)!,
    redactedBy: head.redactedBy,
    type: unescapeText(head.type),
    stateKey: head.stateKey === null ? null : unescapeText(head.stateKey),
    room: rooms.get(head.roomNid)!,
  }));
}

/** What is left of an event that is shown as if it had been redacted. */
export function redactedForm(event: StoredEvent): StoredEvent {
  const { rules } = event.room;
  const pdu = redact(rules, event.pdu);
  const clientJson = openClientEvent(rules, event.eventId, pdu);
  return { ...event, pdu, clientJson };
}

/** Events by number, keyed by it. */
export async function mapEvents(
  edges: Needs,
  nids: Iterable<number>,
): Promise<Map<number, StoredEvent>> {
  const heads = await listEventHeads(edges.db, [...new Set(nids)]);
  const events = await openEvents(edges, heads);
  return new Map(events.map((event) => [event.nid, event]));
}

/** Keeps an event that this process has just built, so that nobody opens it again. */
export function rememberEvent(
  { memory }: Pick<Edges, "memory">,
  rules: RoomRules,
  { nid, eventId, pdu }: { nid: number; eventId: string; pdu: Pdu },
): void {
  const clientJson = openClientEvent(rules, eventId, pdu);
  memory.of(openedEvents).set(nid, { redactedBy: null, pdu, clientJson });
}

async function openAll(
  { db, keyring, memory }: Needs,
  heads: readonly EventHead[],
  rooms: ReadonlyMap<number, RoomIdentity>,
): Promise<Map<number, OpenedEvent>> {
  const cache = memory.of(openedEvents);
  const opened = new Map<number, OpenedEvent>();
  const missing = new Map<number, EventHead>();
  for (const head of heads) {
    const known = cache.get(head.nid);
    if (known?.redactedBy === head.redactedBy) opened.set(head.nid, known);
    else missing.set(head.nid, head);
  }
  const parts = await listEventParts(db, [...missing.keys()]);
  const keys = await keyring.findByIds(
    parts.flatMap(({ firstKey, secondKey }) =>
      firstKey === null || secondKey === null ? [] : [firstKey, secondKey],
    ),
  );
  for (const { nid, skeleton, firstKey, secondKey, sealed } of parts) {
    const head = missing.get(nid)!;
    const content =
      firstKey === null || secondKey === null || sealed === null
        ? undefined
        : keyring.tryOpen({ firstKey, secondKey, sealed }, head.eventId, keys);
    const { rules } = rooms.get(head.roomNid)!;
    const event: OpenedEvent = {
      redactedBy: head.redactedBy,
      ...read(rules, head, { skeleton, content: content ?? null }),
    };
    cache.set(nid, event);
    opened.set(nid, event);
  }
  return opened;
}

/** What a stored event has wrong is our fault, and no error for clients to be told of. */
function read(
  rules: RoomRules,
  { nid, eventId }: EventHead,
  { skeleton, content }: EventTextParts,
): Pick<OpenedEvent, "pdu" | "clientJson"> {
  try {
    const pdu = mergeEvent(skeleton, content);
    return { pdu, clientJson: openClientEvent(rules, eventId, pdu) };
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new TypeError(`The stored event ${nid} is damaged. ${why}`);
  }
}
