import type { Edges } from "../../edges.ts";
import { actorOfDevice } from "../../core/acting-device.ts";
import {
  closeClientEvent,
  openFederationEvent,
} from "../../core/client-event.ts";
import type { ClientFilter } from "../../core/filter.ts";
import {
  type Bundle,
  readBundles,
  type RelationHints,
} from "./aggregations.ts";
import { mapEvents, redactedForm } from "./event-store.ts";
import { DELAYED } from "./proposal.ts";
import type { StoredEvent } from "./stored-event.ts";
import { showEvents, type VisibleEvent } from "./gate.ts";

/** For whom events are shown: the device sees its own transaction ids. */
export interface Viewer {
  userId: string;
  deviceId: string | null;
}

export interface Presentation {
  /** In `/sync` the room stands outside of the event. */
  withRoomId: boolean;
  format?: ClientFilter["eventFormat"];
}

/** A visible event; the viewer's membership at it where that is told (MSC4115). */
export type Shown = Pick<VisibleEvent, "event"> & {
  membership: string | undefined;
};

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

/** Events as JSON text for one viewer, in order, each with its `unsigned` and what relates to it. */
export async function presentEvents(
  edges: Needs,
  viewer: Viewer,
  shown: readonly Shown[],
  presentation: Presentation,
  hints?: RelationHints,
): Promise<string[]> {
  const events = shown.map(({ event }) => event);
  const bundles = await readBundles(edges, viewer.userId, events, hints);
  const beside = await mapEvents(
    edges,
    shown.flatMap(({ event }) =>
      [event.replacesNid, event.redactedBy].filter((nid) => nid !== null),
    ),
  );
  const visible = await showEvents(edges, viewer.userId, [...beside.values()]);
  const known = new Map(visible.map(({ event }) => [event.nid, event]));
  const now = edges.now();
  return shown.map(({ event, membership }) => {
    const unsigned = unsignedOf(event, viewer, { beside, known, now });
    if (membership !== undefined) unsigned["membership"] = membership;
    const bundle = bundles.get(event.nid);
    const relations =
      bundle && relationsJson(bundle, viewer, now, presentation);
    return eventJson(event, unsigned, presentation, relations);
  });
}

/** What relates to an event, as its `m.relations`. */
function relationsJson(
  { edit, thread, references }: Bundle,
  viewer: Viewer,
  now: number,
  presentation: Presentation,
): string {
  const present = (shown: VisibleEvent, relations?: string) =>
    presentAlone(shown, viewer, now, presentation, relations);
  const parts: string[] = [];
  if (edit) parts.push(`"m.replace":${present(edit)}`);
  if (thread) {
    const { latest, latestEdit, count, hasParticipated } = thread;
    const relations = latestEdit && `{"m.replace":${present(latestEdit)}}`;
    const event = present(latest, relations);
    parts.push(
      `"m.thread":{"latest_event":${event},"count":${count},"current_user_participated":${hasParticipated}}`,
    );
  }
  if (references) {
    const chunk = references.map((event_id) => ({ event_id }));
    parts.push(`"m.reference":{"chunk":${JSON.stringify(chunk)}}`);
  }
  return `{${parts.join(",")}}`;
}

/** An event that was neither redacted nor replaces anything. */
const presentAlone = (
  { event, membership }: VisibleEvent,
  viewer: Viewer,
  now: number,
  presentation: Presentation,
  relations?: string,
): string =>
  eventJson(
    event,
    { ...unsignedOf(event, viewer, { ...ALONE, now }), membership },
    presentation,
    relations,
  );

/** A message that nothing has happened to, for a viewer who is in the room. */
export const presentMessage = (
  event: StoredEvent,
  viewer: Viewer,
  now: number,
) =>
  presentAlone({ event, membership: "join" }, viewer, now, {
    withRoomId: false,
  });

const ALONE = {
  beside: new Map<number, StoredEvent>(),
  known: new Map<number, StoredEvent>(),
};

/** One event with the given `unsigned`; what relates to it is JSON text. */
export function eventJson(
  event: StoredEvent,
  unsigned: Record<string, unknown>,
  { withRoomId, format }: Presentation,
  relations?: string,
): string {
  const beside = unsignedJson(unsigned, relations);
  if (format === "federation") {
    const raw = openFederationEvent(event.eventId, event.pdu);
    return closeClientEvent(raw, { unsigned: beside });
  }
  const roomId = withRoomId
    ? `,"room_id":${JSON.stringify(event.room.roomId)}`
    : "";
  return `${event.clientJson}${roomId},"unsigned":${beside}}`;
}

function unsignedJson(
  unsigned: Record<string, unknown>,
  relations: string | undefined,
): string {
  const text = JSON.stringify(unsigned);
  if (relations === undefined) return text;
  const separator = text === "{}" ? "" : ",";
  return `${text.slice(0, -1)}${separator}"m.relations":${relations}}`;
}

function unsignedOf(
  event: StoredEvent,
  viewer: Viewer,
  {
    beside,
    known,
    now,
  }: {
    beside: ReadonlyMap<number, StoredEvent>;
    /** Those of them that the viewer may see, as they may be seen. */
    known: ReadonlyMap<number, StoredEvent>;
    now: number;
  },
): Record<string, unknown> {
  const unsigned: Record<string, unknown> = {
    age: Math.max(0, now - event.originServerTs),
  };
  if (event.txnId !== null && event.sender === viewer.userId) {
    if (event.deviceId === DELAYED)
      unsigned["org.matrix.msc4140.delay_id"] = event.txnId;
    else if (event.deviceId === viewer.deviceId)
      unsigned["transaction_id"] = event.txnId;
  }
  const actor =
    event.deviceId === null ? undefined : actorOfDevice(event.deviceId);
  if (actor !== undefined) unsigned["org.myelin.on_behalf"] = actor;
  const replaced =
    event.replacesNid === null ? undefined : beside.get(event.replacesNid);
  if (replaced) {
    unsigned["replaces_state"] = replaced.eventId;
    const visible = known.get(replaced.nid);
    if (visible) {
      unsigned["prev_content"] = visible.pdu.content;
      unsigned["prev_sender"] = visible.sender;
    }
  }
  const redactedBy =
    event.redactedBy === null ? undefined : beside.get(event.redactedBy);
  if (redactedBy) {
    const redaction = known.get(redactedBy.nid) ?? redactedForm(redactedBy);
    unsigned["redacted_by"] = redaction.eventId;
    unsigned["redacted_because"] = JSON.parse(
      eventJson(redaction, {}, { withRoomId: true }),
    );
  }
  return unsigned;
}

/** State events as JSON text: whoever may read the state sees it whole. */
export async function presentState(
  edges: Needs,
  viewer: Viewer,
  events: readonly StoredEvent[],
): Promise<string[]> {
  const shown = events.map((event) => ({ event, membership: undefined }));
  return presentEvents(edges, viewer, shown, { withRoomId: true });
}
