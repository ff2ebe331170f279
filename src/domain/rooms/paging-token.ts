import { MatrixError } from "../../core/errors.ts";
import { findSyncToken } from "../sync/sync-token.ts";

/**
 * A point in a room's history, right after the event with this paging key (depth,
 * then arrival). Before an event lies the point after `arrival - 1`.
 */
export interface PagingPoint {
  depth: number;
  arrival: number;
}

/** Where to page from: a point, or the stream position of a sync token. */
export type PagingStart = { point: PagingPoint } | { position: number };

const FORM = /^t1_(\d{1,16})_(-?\d{1,16})$/;

export const formatPagingToken = ({ depth, arrival }: PagingPoint): string =>
  `t1_${depth}_${arrival}`;

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
  const match = FORM.exec(text);
  if (match) {
    return { point: { depth: Number(match[1]), arrival: Number(match[2]) } };
  }
  const token = findSyncToken(text);
  if (token) return { position: token.position };
  throw new MatrixError(
    "M_INVALID_PARAM",
    `"${name}" is not a token of this server.`,
  );
}
