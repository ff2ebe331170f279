import type { Edges } from "../../edges.ts";
import { escapeText } from "../../storage/json-text.ts";
import { listRelations } from "../../storage/relations.ts";
import type { Requester } from "../accounts/requester.ts";
import { readSight } from "./aggregations.ts";
import { getVisibleEvent } from "./context.ts";
import { openEvents } from "./event-store.ts";
import { showFurtherEvents } from "./gate.ts";
import { formatPositionToken, type PagingStart } from "./paging-token.ts";
import { presentEvents } from "./present.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

/** What a client asks of the relations of an event. */
export interface RelationsRequest {
  relType?: string;
  eventType?: string;
  from: PagingStart | null;
  to: PagingStart | null;
  isBackwards: boolean;
  limit: number;
  /** Relations of relations too. */
  isRecursive: boolean;
}

export interface RelationsFound {
  /** Events as JSON text, in the order that was asked for. */
  chunk: string[];
  /** Absent where there is nothing more. */
  nextBatch?: string;
}

/** How far relations of relations are followed. */
export const RECURSION_DEPTH = 3;

/**
 * A page of the events that relate to an event.
 * https://spec.matrix.org/v1.19/client-server-api/#relationships-api
 */
export async function readRelations(
  edges: Needs,
  requester: Requester,
  roomId: string,
  eventId: string,
  request: RelationsRequest,
): Promise<RelationsFound> {
  const { userId } = requester;
  const { relType, eventType, isBackwards, limit, isRecursive } = request;
  const { shown } = await getVisibleEvent(edges, userId, roomId, eventId);
  const parent = shown.event;
  const sight = await readSight(edges, userId, [parent]);
  const [newer, older] = isBackwards
    ? [request.from, request.to]
    : [request.to, request.from];
  const heads = await listRelations(
    edges.db,
    parent,
    {
      relType: relType ?? null,
      type: eventType === undefined ? null : escapeText(eventType),
      isBackwards,
      after: older ? positionOf(older) : 0,
      upTo: newer ? positionOf(newer) : Number.MAX_SAFE_INTEGER,
      // One more than is shown tells whether there are more.
      limit: limit + 1,
      isRecursive,
    },
    sight,
  );
  const page = heads.slice(0, limit);
  const last = page.at(-1)?.position;
  const events = await openEvents(edges, page);
  const visible = await showFurtherEvents(edges, sight, events);
  const chunk = await presentEvents(
    edges,
    requester,
    visible,
    { withRoomId: true },
    { ignored: sight.ignoredUsers },
  );
  if (heads.length <= limit || typeof last !== "number") return { chunk };
  const nextBatch = formatPositionToken(isBackwards ? last - 1 : last);
  return { chunk, nextBatch };
}

/** Relations go by their arrival: of a point, that of the event at it. */
export const positionOf = (start: PagingStart): number =>
  "position" in start
    ? start.position
    : Math.max(0, start.point.upTo ?? start.point.after ?? start.point.arrival);
