import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { findRoomIdentity } from "../rooms/room-identity.ts";
import { describeRooms, isSpace, type RoomPreview } from "./room-view.ts";
import { childState } from "./space-children.ts";
import {
  readAccessible,
  readChildren,
  type Viewer,
  type Walk,
  walkSpace,
} from "./space-walk.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

export interface HierarchyRequest extends Walk {
  limit: number;
  from: string | undefined;
}

export interface HierarchyPage {
  rooms: (RoomPreview & { children_state: JsonObject[] })[];
  next_batch?: string;
}

/** A walk that pages are cut from, so that a long list is not walked for each. */
interface Walked {
  order: readonly number[];
  walkedTs: number;
}

const KEPT_MS = 60_000;
const walks = slot(
  () =>
    new WeightedCache<string, Walked>(200_000, ({ order }) => order.length + 5),
);

/**
 * A page of the rooms beneath a space, children right behind their parent.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
 */
export async function readHierarchy(
  edges: Needs,
  viewer: Viewer,
  roomId: string,
  request: HierarchyRequest,
): Promise<HierarchyPage> {
  const { limit, isSuggestedOnly } = request;
  const offset = parseOffset(request);
  const room = await findRoomIdentity(edges, roomId);
  const [root] = room
    ? await readAccessible(edges, viewer, [room.roomNid])
    : [];
  if (!room || !root) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "This room is not known here, or not to be seen by you.",
    );
  }
  const order = await orderOf(edges, viewer, room.roomNid, request, offset);
  const end = offset + limit;
  // Whom a room was shown to a page before may have been shut out of it since.
  const page = order.slice(offset, end);
  const views = await readAccessible(edges, viewer, page);
  const children = await readChildren(
    edges,
    views.filter(isSpace),
    isSuggestedOnly,
  );
  const previews = await describeRooms(edges, views);
  const rooms = previews.map((preview, i) => {
    const list = children.get(views[i]!.room.roomNid) ?? [];
    return { ...preview, children_state: list.map(childState) };
  });
  const hasMore = end < order.length;
  return { rooms, ...(hasMore && { next_batch: tokenOf(request, end) }) };
}

async function orderOf(
  edges: Needs,
  viewer: Viewer,
  rootNid: number,
  { maxDepth, isSuggestedOnly }: Walk,
  offset: number,
): Promise<readonly number[]> {
  const cache = edges.memory.of(walks);
  const name = `${nameOf(viewer)} ${rootNid} ${maxDepth} ${isSuggestedOnly}`;
  const known = offset > 0 ? cache.get(name) : undefined;
  if (known && edges.now() - known.walkedTs < KEPT_MS) return known.order;
  const walk = { maxDepth, isSuggestedOnly };
  const order = await walkSpace(edges, viewer, rootNid, walk);
  cache.set(name, { order, walkedTs: edges.now() });
  return order;
}

/** Whose walk it is; a token may carry a part of its maker's powers. */
const nameOf = (viewer: Viewer): string =>
  typeof viewer === "string"
    ? viewer
    : `administrator ${viewer.userId} ${viewer.adminToken ? viewer.tokenId : ""}`;

const FORM = /^h1_(\d{1,9})_(\d{1,9})_([01])$/;

const tokenOf = ({ maxDepth, isSuggestedOnly }: Walk, offset: number) =>
  `h1_${offset}_${maxDepth}_${isSuggestedOnly ? 1 : 0}`;

/** "max_depth and suggested_only cannot change" from page to page. */
function parseOffset(request: HierarchyRequest): number {
  const { from } = request;
  if (from === undefined) return 0;
  const offset = Number(FORM.exec(from)?.[1]);
  if (from === tokenOf(request, offset)) return offset;
  throw new MatrixError(
    "M_INVALID_PARAM",
    '"from" is not a token of this walk.',
  );
}
