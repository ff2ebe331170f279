import type { ReceiptRow } from "../../../storage/sync-extras.ts";
import type { UserView } from "../user-view.ts";
import { type ChosenRooms, chooseRooms } from "./chosen-rooms.ts";
import { readEnteredRooms } from "./entered-rooms.ts";
import { readDirectRooms } from "./own-marks.ts";
import { findQuickRooms, presentQuickRooms } from "./quick-rooms.ts";
import { readRoomList } from "./room-list.ts";
import type { RoomResult } from "./room-result.ts";
import { planTasks } from "./room-tasks.ts";
import type { SentRooms } from "./sent-rooms.ts";
import type { SlidingEdges } from "./sliding-edges.ts";
import { asksForRooms, type SlidingRequest } from "./sliding-request.ts";
import { readStrippedRooms } from "./stripped-rooms.ts";

/** What an answer says of rooms. */
export interface AnsweredRooms {
  chosen: ChosenRooms;
  /** By number, in the order of the lists. */
  results: ReadonlyMap<number, RoomResult>;
  /** Rooms in which something happened that the answer does not tell. */
  unsent: readonly number[];
  /** Receipts of rooms, where they were read with the rest. */
  receipts: ReadonlyMap<number, readonly ReceiptRow[]>;
  /** Rooms in which something happened that the answer tells. */
  touched: ReadonlySet<number>;
}

const NONE: AnsweredRooms = {
  chosen: {
    counts: new Map(),
    rooms: new Map(),
    windows: new Map(),
    subscribed: new Map(),
  },
  results: new Map(),
  unsent: [],
  receipts: new Map(),
  touched: new Set(),
};

export async function answerRooms(
  edges: SlidingEdges,
  request: SlidingRequest,
  view: UserView,
  sent: SentRooms,
): Promise<AnsweredRooms> {
  if (!asksForRooms(request)) return NONE;
  const { requester, pos } = request;
  const { userId } = requester;
  const after = pos?.position ?? 0;
  const [list, directs] = await Promise.all([
    readRoomList(edges, userId, view),
    readDirectRooms(edges, userId, view.upTo),
  ]);
  const chosen = await chooseRooms(edges, request, view, list, sent);
  const { tasks, unsent } = await planTasks(edges, chosen, sent, directs, {
    after,
    upTo: view.upTo,
  });
  const { rooms: quick, rest } = await findQuickRooms(
    edges,
    requester,
    tasks,
    view,
    after,
  );
  const isShown = (kind: string) => kind === "invite" || kind === "knock";
  const read = await Promise.all([
    presentQuickRooms(edges, requester, view, quick, after),
    readEnteredRooms(
      edges,
      requester,
      view,
      rest.filter(({ room }) => !isShown(room.kind)),
      after,
    ),
    readStrippedRooms(
      edges,
      userId,
      rest.filter(({ room }) => isShown(room.kind)),
    ),
  ]);
  const byNid = new Map(read.flat().map((result) => [result.roomNid, result]));
  return {
    chosen,
    results: new Map(
      tasks.map(({ room: { standing } }) => [
        standing.roomNid,
        byNid.get(standing.roomNid)!,
      ]),
    ),
    unsent,
    receipts: new Map(
      quick.map(({ task, delta }) => [
        task.room.standing.roomNid,
        delta.receipts,
      ]),
    ),
    touched: new Set(
      tasks.flatMap(({ room, isTouched }) =>
        isTouched ? room.standing.roomNid : [],
      ),
    ),
  };
}
