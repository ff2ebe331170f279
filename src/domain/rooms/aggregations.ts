import type { Edges } from "../../edges.ts";
import { isJsonObject } from "../../core/json.ts";
import { escapeText } from "../../storage/json-text.ts";
import {
  type BundledType,
  listBundledTypes,
  listEdits,
  listReferences,
  listThreadSummaries,
  type Sight,
} from "../../storage/relations.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import { openEvents } from "./event-store.ts";
import {
  readStandings,
  showFurtherEvents,
  type Standing,
  type VisibleEvent,
  visibleSpans,
} from "./gate.ts";
import { relationOf } from "./relation.ts";
import type { StoredEvent } from "./stored-event.ts";

/** What is shown of the relations of one event. */
export interface Bundle {
  /** The edit that stands in the event's place. */
  edit?: VisibleEvent;
  thread?: {
    latest: VisibleEvent;
    latestEdit: VisibleEvent | undefined;
    count: number;
    hasParticipated: boolean;
  };
  /** Ids of the events that refer to it. */
  references?: readonly string[];
}

/** What is known before of the events whose relations are asked for. */
export interface RelationHints {
  /** Those that something relates to; the others need not be looked at. */
  parents?: ReadonlySet<string>;
  ignored?: ReadonlySet<string>;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** Beyond them nobody lists references one by one; `/relations` gives all. */
const MOST_REFERENCES = 1_000;
/** Edits that are looked at where the newest ones are none. */
const MOST_EDITS = 50;

/**
 * What the viewer is shown of the relations of events, by the events' numbers, with
 * the same few queries however many they are: one, where nothing relates to them.
 * https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events
 */
export async function readBundles(
  edges: Needs,
  viewer: string,
  events: readonly StoredEvent[],
  hints: RelationHints = {},
): Promise<ReadonlyMap<number, Bundle>> {
  const { parents } = hints;
  const candidates = events.filter(
    (event) =>
      isParent(event) && (parents === undefined || parents.has(event.eventId)),
  );
  if (candidates.length === 0) return NONE;
  const types = typesByEvent(await listBundledTypes(edges.db, candidates));
  if (types.size === 0) return NONE;
  const related = candidates.filter(({ eventId }) => types.has(eventId));
  const sight = await readSight(edges, viewer, related, hints.ignored);
  const having = (type: BundledType) =>
    related.filter((event) => types.get(event.eventId)?.has(type));
  const [edits, threads, references] = await Promise.all([
    findEdits(edges, sight, having("m.replace").filter(isEditable(sight))),
    summariseThreads(edges, sight, having("m.thread").filter(isRoot)),
    listReferring(edges, sight, having("m.reference")),
  ]);
  const bundles = new Map<number, Bundle>();
  for (const { nid, eventId } of related) {
    const edit = edits.get(eventId);
    const thread = threads.get(eventId);
    const referring = references.get(eventId);
    if (!edit && !thread && !referring) continue;
    bundles.set(nid, {
      ...(edit && { edit }),
      ...(thread && { thread }),
      ...(referring && { references: referring }),
    });
  }
  return bundles;
}

const NONE: ReadonlyMap<number, Bundle> = new Map();

/** What a viewer sees of rooms, for queries and for the gate. */
export interface RoomSight extends Sight {
  ignoredUsers: ReadonlySet<string>;
  standings: ReadonlyMap<number, Standing>;
}

/** What the viewer may see in the rooms of events. */
export async function readSight(
  edges: Needs,
  viewer: string,
  rooms: readonly { roomNid: number }[],
  known?: ReadonlySet<string>,
): Promise<RoomSight> {
  const [standings, ignoredUsers] = await Promise.all([
    readStandings(
      edges,
      viewer,
      rooms.map(({ roomNid }) => roomNid),
    ),
    known ?? listIgnoredUsers(edges, viewer),
  ]);
  const spans = new Map(
    rooms.flatMap(({ roomNid }) => {
      const seen = visibleSpans(standings.get(roomNid));
      return seen ? [[roomNid, seen] as const] : [];
    }),
  );
  return {
    userId: viewer,
    ignored: [...ignoredUsers].filter((id) => !id.includes("\0")),
    ignoredUsers,
    standings,
    spans,
  };
}

/** State has no relations of its own, nor has what only says something of another event. */
const isParent = ({ stateKey, relType, redactedBy }: StoredEvent): boolean =>
  stateKey === null &&
  (redactedBy !== null ||
    (relType !== "m.replace" && relType !== "m.annotation"));

/** What was redacted shows no edits, nor does what the viewer does not want to hear. */
const isEditable =
  ({ ignoredUsers }: RoomSight) =>
  ({ redactedBy, sender }: StoredEvent): boolean =>
    redactedBy === null && !ignoredUsers.has(sender);

/** A thread does not begin at an event that relates to another one. */
const isRoot = ({ relType, redactedBy }: StoredEvent): boolean =>
  relType === null || redactedBy !== null;

function typesByEvent(
  rows: Awaited<ReturnType<typeof listBundledTypes>>,
): Map<string, Set<BundledType>> {
  const types = new Map<string, Set<BundledType>>();
  for (const { eventId, relType } of rows) {
    const known = types.get(eventId);
    if (known) known.add(relType);
    else types.set(eventId, new Set([relType]));
  }
  return types;
}

/**
 * "The most recent replacement event": by `origin_server_ts`, then by the event id.
 * https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mreplace-relationships
 */
async function findEdits(
  edges: Needs,
  sight: RoomSight,
  events: readonly StoredEvent[],
): Promise<Map<string, VisibleEvent>> {
  const found = new Map<string, VisibleEvent>();
  let open = events;
  for (const most of [1, MOST_EDITS]) {
    if (open.length === 0) break;
    const heads = await listEdits(edges.db, open.map(editableOf), sight, most);
    const opened = await openEvents(edges, heads);
    for (const shown of await showFurtherEvents(edges, sight, opened)) {
      const { relatesTo } = shown.event;
      if (relatesTo !== null && !found.has(relatesTo) && isEdit(shown.event))
        found.set(relatesTo, shown);
    }
    const edited = new Set(heads.map(({ relatesTo }) => relatesTo));
    open = open.filter((e) => edited.has(e.eventId) && !found.has(e.eventId));
  }
  return found;
}

const editableOf = ({ roomNid, eventId, sender, type }: StoredEvent) => ({
  roomNid,
  eventId,
  sender,
  type: escapeText(type),
});

/**
 * Whether an event of the same sender and type may stand in another's place. What
 * is encrypted holds its `m.new_content` where only clients find it.
 * https://spec.matrix.org/v1.19/client-server-api/#validity-of-replacement-events
 */
const isEdit = ({ type, pdu }: StoredEvent): boolean =>
  relationOf(pdu).relType === "m.replace" &&
  (type === "m.room.encrypted" || isJsonObject(pdu.content["m.new_content"]));

/** https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mthread-relationships */
async function summariseThreads(
  edges: Needs,
  sight: RoomSight,
  roots: readonly StoredEvent[],
): Promise<Map<string, NonNullable<Bundle["thread"]>>> {
  const summaries = await listThreadSummaries(edges.db, roots, sight);
  const opened = await openEvents(edges, summaries);
  const latest = await showFurtherEvents(edges, sight, opened);
  const edits = await findEdits(
    edges,
    sight,
    latest.map(({ event }) => event),
  );
  const shown = new Map(latest.map((each) => [each.event.relatesTo, each]));
  const counts = new Map(summaries.map((each) => [each.relatesTo, each]));
  return new Map(
    roots.flatMap(({ eventId, sender }) => {
      const last = shown.get(eventId);
      const counted = counts.get(eventId);
      if (!last || !counted) return [];
      const thread = {
        latest: last,
        latestEdit: edits.get(last.event.eventId),
        count: counted.replies,
        hasParticipated: counted.hasReplied || sender === sight.userId,
      };
      return [[eventId, thread] as const];
    }),
  );
}

async function listReferring(
  { db }: Needs,
  sight: RoomSight,
  events: readonly StoredEvent[],
): Promise<Map<string, string[]>> {
  const rows = await listReferences(db, events, sight, MOST_REFERENCES);
  const references = new Map<string, string[]>();
  for (const { relatesTo, eventId } of rows) {
    const known = references.get(relatesTo);
    if (known) known.push(eventId);
    else references.set(relatesTo, [eventId]);
  }
  return references;
}
