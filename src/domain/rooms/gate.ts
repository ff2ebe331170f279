import type { Edges } from "../../edges.ts";
import {
  type HistoryVisibility,
  isVisible,
  parseHistoryVisibility,
} from "../../core/history-visibility.ts";
import { listVisibilityHistories } from "../../storage/memberships.ts";
import { escapeText } from "../../storage/json-text.ts";
import type { Span } from "../../storage/span.ts";
import { listWithheld, type PolicyEdges } from "../policies/enforce.ts";
import { ACCEPTED } from "../../storage/write.ts";
import { listErasures } from "../../storage/users.ts";
import { mapEvents, redactedForm } from "./event-store.ts";
import type { StoredEvent } from "./stored-event.ts";

/** An event in the form that a viewer may see, and the viewer's membership when it was sent. */
export interface VisibleEvent {
  event: StoredEvent;
  membership: string;
}

type Needs = PolicyEdges;

interface Change<T> {
  position: number;
  value: T;
}

/** How a viewer stood to a room over time. */
export interface Standing {
  visibility: Change<HistoryVisibility>[];
  membership: Change<string>[];
  /** A policy withholds the room at the moment: nothing of it is shown. */
  isWithheld?: true;
  /** Where in the stream those of the senders who were erased asked for it. */
  erasures: ReadonlyMap<string, number>;
}

/** Of a viewer who never had to do with the room. */
export const STRANGER: Standing = {
  visibility: [],
  membership: [],
  erasures: new Map(),
};

/**
 * The one gate for reads: what of these events the viewer may be shown, by the
 * history visibility and the membership at each event. Rejected, soft-failed and
 * outlying events never pass.
 * https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export async function showEvents(
  edges: Needs,
  viewer: string,
  events: readonly StoredEvent[],
): Promise<VisibleEvent[]> {
  if (events.length === 0) return [];
  const standings = await readStandings(
    edges,
    viewer,
    events.map(({ roomNid }) => roomNid),
    events.map(({ sender }) => sender),
  );
  return showAll(standings, viewer, events);
}

/** As `showEvents`, where it is known how the viewer stands to the events' rooms. */
export async function showFurtherEvents(
  { db }: Pick<Edges, "db">,
  viewer: { userId: string; standings: ReadonlyMap<number, Standing> },
  events: readonly StoredEvent[],
): Promise<VisibleEvent[]> {
  if (events.length === 0) return [];
  const senders = new Set(events.map(({ sender }) => sender));
  const erasures = await listErasures(db, [...senders]);
  const standings = new Map(
    [...viewer.standings].map(([roomNid, standing]) => [
      roomNid,
      { ...standing, erasures },
    ]),
  );
  return showAll(standings, viewer.userId, events);
}

const showAll = (
  standings: ReadonlyMap<number, Standing>,
  viewer: string,
  events: readonly StoredEvent[],
): VisibleEvent[] =>
  events.flatMap((event) => {
    const standing = standings.get(event.roomNid) ?? STRANGER;
    return showEvent(standing, viewer, event) ?? [];
  });

/**
 * How the viewer stood to each room, from two histories read in one query.
 * @param senders of the events that are to be shown
 */
export async function readStandings(
  edges: Needs,
  viewer: string,
  roomNids: readonly number[],
  senders: readonly string[] = [],
): Promise<Map<number, Standing>> {
  const [rows, erasures, withheld] = await Promise.all([
    listVisibilityHistories(
      edges.db,
      [...new Set(roomNids)],
      escapeText(viewer),
    ),
    listErasures(edges.db, [...new Set(senders)]),
    listWithheld(edges, viewer, roomNids),
  ]);
  const events = await mapEvents(
    edges,
    rows.flatMap(({ newNid }) => newNid ?? []),
  );
  const standings = new Map<number, Standing>();
  for (const { roomNid, position, type, newNid } of rows) {
    let standing = standings.get(roomNid);
    if (!standing) {
      standing = {
        ...{ visibility: [], membership: [], erasures },
        ...(withheld.has(roomNid) && { isWithheld: true as const }),
      };
      standings.set(roomNid, standing);
    }
    const content =
      newNid === null ? undefined : events.get(newNid)?.pdu.content;
    if (type === "m.room.member") {
      const value = content?.["membership"];
      standing.membership.push({
        position,
        value: typeof value === "string" ? value : "leave",
      });
    } else {
      standing.visibility.push({
        position,
        value: parseHistoryVisibility(content),
      });
    }
  }
  return standings;
}

/** The event as the viewer may see it; undefined where that is not at all. */
export function showEvent(
  { visibility, membership, erasures, isWithheld }: Standing,
  viewer: string,
  event: StoredEvent,
): VisibleEvent | undefined {
  const { position } = event;
  if (position === null || event.status !== ACCEPTED || isWithheld)
    return undefined;
  const before = {
    visibility: valueBefore(visibility, position, "shared" as const),
    membership: valueBefore(membership, position, "leave"),
  };
  const after = {
    visibility: valueBefore(visibility, position + 1, "shared" as const),
    membership: valueBefore(membership, position + 1, "leave"),
  };
  const isOwnMembership =
    event.type === "m.room.member" && event.stateKey === viewer;
  const isVisibility =
    event.type === "m.room.history_visibility" && event.stateKey === "";
  const hasJoined = (from: number, end: number): boolean =>
    membership.some(
      (change) =>
        change.position > from &&
        change.position < end &&
        change.value === "join",
    );
  const isShownBefore = (end: number): boolean =>
    isVisible({
      visibility: before.visibility,
      ...(isVisibility ? { visibilityAfter: after.visibility } : {}),
      membership: before.membership,
      ...(isOwnMembership ? { membershipAfter: after.membership } : {}),
      hasJoinedLater: hasJoined(position, end),
    });
  // Who is the target of a membership change may know of it, also of one that shuts them out.
  if (!isOwnMembership && !isShownBefore(Infinity)) return undefined;
  // "any users (or servers) which join the room after the erasure request are served
  // redacted copies … Users which had visibility on those events prior to the erasure
  // are still able to see unredacted copies."
  const erasedAt = erasures.get(event.sender);
  const isErased =
    erasedAt !== undefined &&
    !isOwnMembership &&
    !(hasJoined(-1, erasedAt) && isShownBefore(erasedAt));
  return {
    event: isErased ? redactedForm(event) : event,
    membership: after.membership,
  };
}

/** The parts of a room's stream whose messages the viewer may see; null for all of it. */
export function visibleSpans({
  visibility,
  membership,
  isWithheld,
}: Standing = STRANGER): Span[] | null {
  if (isWithheld) return [];
  const changes = [...visibility, ...membership].map((c) => c.position);
  const bounds = [...new Set([0, ...changes])].sort((a, b) => a - b);
  const spans: Span[] = [];
  let isWhole = true;
  for (const [i, after] of bounds.entries()) {
    const upTo = bounds[i + 1] ?? Number.MAX_SAFE_INTEGER;
    const isSeen = isVisible({
      visibility: valueBefore(visibility, after + 1, "shared"),
      membership: valueBefore(membership, after + 1, "leave"),
      hasJoinedLater: membership.some(
        ({ position, value }) => position > after && value === "join",
      ),
    });
    const last = spans.at(-1);
    if (!isSeen) isWhole = false;
    else if (last?.upTo === after) last.upTo = upTo;
    else spans.push({ after, upTo });
  }
  return isWhole ? null : spans;
}

/** Where a viewer who is no longer in the room was last taken out of it. */
export function findLeavingPosition(
  standing: Standing | undefined,
): number | undefined {
  const changes = standing?.membership ?? [];
  const at = changes.findLastIndex(
    ({ value }, i) => value !== "join" && changes[i - 1]?.value === "join",
  );
  return changes[at]?.position;
}

/** The value that stood before a position. */
function valueBefore<T>(
  changes: readonly Change<T>[],
  position: number,
  initial: T,
): T {
  let value = initial;
  for (const change of changes) {
    if (change.position >= position) break;
    value = change.value;
  }
  return value;
}
