import { MatrixError } from "../../core/errors.ts";
import { findSlidingPos } from "../sync/sliding/sliding-pos.ts";
import { findSyncToken } from "../sync/sync-token.ts";

/**
 * A point in a room's history, right after the event with this paging key (depth,
 * then arrival). Before an event lies the point after `arrival - 1`.
 */
export interface PagingPoint {
  depth: number;
  arrival: number;
  /** Of what lies before it, only what came up to this position of the stream. */
  upTo?: number;
  /** Of what lies behind it, only what came after this position of the stream. */
  after?: number;
}

/** Where to page from: a point, or the stream position of a sync token. */
export type PagingStart = { point: PagingPoint } | { position: number };

const POINT = /^t1_(\d{1,16})_(-?\d{1,16})(?:_([ua])(\d{1,16}))?$/;
const POSITION = /^p1_(\d{1,16})$/;

export function formatPagingToken(point: PagingPoint): string {
  const { depth, arrival, upTo, after } = point;
  const key = `t1_${depth}_${arrival}`;
  if (upTo !== undefined) return `${key}_u${upTo}`;
  return after === undefined ? key : `${key}_a${after}`;
}

/** The token of a place in the stream. */
export const formatPositionToken = (position: number): string =>
  `p1_${position}`;

export const pointAfter = (event: PagingPoint): PagingPoint => ({
  depth: event.depth,
  arrival: event.arrival,
});

export const pointBefore = (event: PagingPoint): PagingPoint => ({
  depth: event.depth,
  arrival: event.arrival - 1,
});

/** Throws `M_INVALID_PARAM` for text that this server never gave out. */
export function parsePagingToken(text: string, name: string): PagingStart {
  const [, depth, arrival, side, bound] = POINT.exec(text) ?? [];
  if (depth !== undefined) {
    const point = { depth: Number(depth), arrival: Number(arrival) };
    if (side === "u") return { point: { ...point, upTo: Number(bound) } };
    if (side === "a") return { point: { ...point, after: Number(bound) } };
    return { point };
  }
  const [, position] = POSITION.exec(text) ?? [];
  if (position !== undefined) return { position: Number(position) };
  const token = findSyncToken(text) ?? findSlidingPos(text);
  if (token) return { position: token.position };
  throw new MatrixError(
    "M_INVALID_PARAM",
    `"${name}" is not a token of this server.`,
  );
}
