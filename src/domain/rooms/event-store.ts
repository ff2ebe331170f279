import type { Edges } from "../../edges.ts";
import { canonicalJsonAsReceived } from "../../core/canonical-json.ts";
import { asJson, type Pdu } from "../../core/event.ts";
import {
  type EventParts as EventTextParts,
  mergeEventText,
} from "../../core/event-parts.ts";
import { isJsonObject, type JsonValue } from "../../core/json.ts";
import { redact } from "../../core/redaction.ts";
import {
  type EventHead,
  listEventHeads,
  listEventParts,
} from "../../storage/events.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { StagedCache } from "../../util/staged-cache.ts";
import { mapRoomIdentities } from "./room-identity.ts";
import { StoredEvent } from "./stored-event.ts";

/** What never changes of an event. Parsed, it would take twice the memory. */
interface OpenedEvent {
  redactedBy: number | null;
  /** Its canonical JSON without `unsigned`. */
  text: string;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

const CACHE_BYTES = 64 * 1024 * 1024;
/** The entry itself and its place in the map. */
const ENTRY_BYTES = 200;
const openedEvents = openedSlot(
  () =>
    new StagedCache<number, OpenedEvent>(
      CACHE_BYTES,
      ({ text }) => ENTRY_BYTES + bytesOf(text),
    ),
);

/** What a text takes in memory: one character outside of Latin-1 makes all of them wide. */
const bytesOf = (text: string): number =>
  Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;

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
  const opened = await openAll(edges, heads);
  return heads.map(
    (head) =>
      new StoredEvent(
        head,
        rooms.get(head.roomNid)!,
        opened.get(head.nid)!.text,
      ),
  );
}

/** What is left of an event that is shown as if it had been redacted. */
export function redactedForm(event: StoredEvent): StoredEvent {
  const pdu = redact(event.room.rules, event.pdu);
  return event.withText(canonicalJsonAsReceived(asJson(pdu)));
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
  { nid, pdu }: { nid: number; pdu: Pdu },
): void {
  const { unsigned, ...rest } = asJson(pdu);
  const text = canonicalJsonAsReceived(
    unsigned === undefined ? asJson(pdu) : rest,
  );
  memory.of(openedEvents).set(nid, { redactedBy: null, text });
}

async function openAll(
  { db, keyring, memory }: Needs,
  heads: readonly EventHead[],
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
    const event: OpenedEvent = {
      redactedBy: head.redactedBy,
      text: read(nid, { skeleton, content: content ?? null }),
    };
    cache.set(nid, event);
    opened.set(nid, event);
  }
  return opened;
}

/** What a stored event has wrong is our fault, and no error for clients to be told of. */
function read(nid: number, { skeleton, content }: EventTextParts): string {
  try {
    const text = mergeEventText(skeleton, content);
    if (!isEvent(JSON.parse(text) as JsonValue))
      throw new TypeError("It lacks what all events have.");
    return text;
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new TypeError(`The stored event ${nid} is damaged. ${why}`);
  }
}

const isEvent = (value: JsonValue): boolean =>
  isJsonObject(value) &&
  isJsonObject(value["content"]) &&
  typeof value["type"] === "string" &&
  typeof value["sender"] === "string" &&
  typeof value["origin_server_ts"] === "number";
