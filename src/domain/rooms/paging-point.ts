import type { Edges } from "../../edges.ts";
import {
  findFirstKeyAfter,
  findLastKeyUpTo,
  findPositionAt,
} from "../../storage/paging.ts";
import {
  type PagingPoint,
  type PagingStart,
  pointBefore,
} from "./paging-token.ts";

type Needs = Pick<Edges, "db">;

export const OLDEST: PagingPoint = {
  depth: 0,
  arrival: Number.MIN_SAFE_INTEGER,
};
export const NEWEST: PagingPoint = {
  depth: Number.MAX_SAFE_INTEGER,
  arrival: Number.MAX_SAFE_INTEGER,
};

/**
 * Where a token points in a room's history. An event of a slow fork may have a
 * smaller depth at a later position, so a position is two points, each with a
 * bound: before "upTo" lies all that came up to it, behind "after" all that came after it.
 */
export async function pointOf(
  { db }: Needs,
  roomNid: number,
  start: PagingStart,
  side: "upTo" | "after",
): Promise<PagingPoint> {
  if ("point" in start) return start.point;
  if (side === "upTo") {
    const last = await findLastKeyUpTo(db, roomNid, start.position);
    return { ...(last ?? OLDEST), upTo: start.position };
  }
  const first = await findFirstKeyAfter(db, roomNid, start.position);
  return { ...(first ? pointBefore(first) : NEWEST), after: start.position };
}

/** The stream position that a token stands for in a room. */
export async function positionOf(
  { db }: Needs,
  roomNid: number,
  at: PagingStart,
): Promise<number> {
  if ("position" in at) return at.position;
  return (await findPositionAt(db, roomNid, at.point)) ?? 0;
}
