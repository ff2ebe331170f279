import type { Edges } from "../../edges.ts";
import {
  closeClientEvent,
  openFederationEvent,
} from "../../core/client-event.ts";
import type { ClientFilter } from "../../core/filter.ts";
import { mapEvents, redactedForm } from "./event-store.ts";
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

/** Events as JSON text for one viewer, in order, each with its `unsigned`. */
export async function presentEvents(
  edges: Needs,
  viewer: Viewer,
  shown: readonly Shown[],
  presentation: Presentation,
): Promise<string[]> {
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
    return eventJson(event, unsigned, presentation);
  });
}

/** A message that was neither redacted nor replaces anything, for a viewer who is in the room. */
export const presentMessage = (
  event: StoredEvent,
  viewer: Viewer,
  now: number,
) =>
  eventJson(
    event,
    { ...unsignedOf(event, viewer, { ...ALONE, now }), membership: "join" },
    { withRoomId: false },
  );

const ALONE = {
  beside: new Map<number, StoredEvent>(),
  known: new Map<number, StoredEvent>(),
};

/** One event with the given `unsigned`. */
export function eventJson(
  event: StoredEvent,
  unsigned: Record<string, unknown>,
  { withRoomId, format }: Presentation,
): string {
  if (format === "federation") {
    const raw = openFederationEvent(event.eventId, event.pdu);
    return closeClientEvent(raw, { unsigned: JSON.stringify(unsigned) });
  }
  const roomId = withRoomId
    ? `,"room_id":${JSON.stringify(event.room.roomId)}`
    : "";
  return `${event.clientJson}${roomId},"unsigned":${JSON.stringify(unsigned)}}`;
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
  if (
    event.txnId !== null &&
    event.sender === viewer.userId &&
    event.deviceId === viewer.deviceId
  ) {
    unsigned["transaction_id"] = event.txnId;
  }
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
