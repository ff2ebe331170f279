import type { UserView } from "../user-view.ts";
import {
  type AnsweredExtensions,
  answerExtensions,
  type AnswerPlace,
} from "./answer-extensions.ts";
import { type AnsweredRooms, answerRooms } from "./answer-rooms.ts";
import { BARE, writeRoomEntry } from "./room-result.ts";
import {
  isSameSent,
  type SentChanges,
  type SentRoom,
  type SentRooms,
} from "./sent-rooms.ts";
import type { SlidingEdges } from "./sliding-edges.ts";
import type { SlidingPos } from "./sliding-pos.ts";
import type { SlidingRequest } from "./sliding-request.ts";

export interface SlidingAnswer {
  /** Nothing in it is worth waking a client for. */
  isEmpty: boolean;
  /** Where the client stands then, but for the state of what it was sent. */
  pos: Omit<SlidingPos, "seq" | "stateId">;
  /** What of that the answer changes. */
  changes: SentChanges;
  /** What follows the token, as JSON text. */
  rest: string;
}

/** The answer as things stand, with a fixed number of queries however many rooms there are. */
export async function readSlidingAnswer(
  edges: SlidingEdges,
  request: SlidingRequest,
  view: UserView,
  place: AnswerPlace,
): Promise<SlidingAnswer> {
  const { sent, epoch, mark } = place;
  const rooms = await answerRooms(edges, request, view, sent);
  const extensions = await answerExtensions(edges, request, view, rooms, place);
  const gone = listGone(view, sent);
  const entries = [...rooms.results.values(), ...gone].flatMap(
    ({ roomId, text }) =>
      text === null ? [] : `${JSON.stringify(roomId)}:${text}`,
  );
  const since = request.pos?.position ?? 0;
  return {
    isEmpty: entries.length === 0 && extensions.isEmpty,
    pos: {
      epoch,
      position: view.upTo,
      mark,
      keysDigest: extensions.keysDigest,
      hasAccountData: request.extensions.accountData !== null,
      hasThreadSubscriptions: request.extensions.threadSubscriptions !== null,
    },
    changes: new Map([
      ...changesOf(rooms, extensions, sent, since),
      ...gone.map(({ roomNid }) => [roomNid, null] as const),
    ]),
    rest: [
      `"lists":{${objectOf(listsOf(rooms))}}`,
      `"rooms":{${entries.join(",")}}`,
      `"extensions":{${objectOf(extensions.texts)}}`,
    ].join(","),
  };
}

/** Rooms that the client was sent, and that policies withhold by now: it has left them. */
const listGone = ({ withheld }: UserView, sent: SentRooms) =>
  (withheld?.whole.standings ?? [])
    .filter((s) => withheld!.roomNids.has(s.roomNid) && sent.has(s.roomNid))
    .map(({ roomNid, roomId, position }) => ({
      ...{ roomNid, roomId },
      text: writeRoomEntry({
        ...BARE,
        ...{ kind: "left", membership: "leave", bumpStamp: position },
      }),
    }));

const listsOf = ({ chosen }: AnsweredRooms): Map<string, string> =>
  new Map(
    [...chosen.counts].map(([name, count]) => [name, `{"count":${count}}`]),
  );

const objectOf = (texts: ReadonlyMap<string, string>): string =>
  [...texts].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",");

/** What the client knows of rooms once it has the answer, where that is not what it knew. */
function changesOf(
  { chosen, results, unsent }: AnsweredRooms,
  extensions: AnsweredExtensions,
  sent: SentRooms,
  since: number,
): Map<number, SentRoom> {
  const { withAccountData, withReceipts, withoutAccountData } = extensions;
  const changes = new Map<number, SentRoom>();
  const note = (roomNid: number, room: SentRoom): void => {
    const before = sent.get(roomNid);
    if (before && isSameSent(before, room)) changes.delete(roomNid);
    else changes.set(roomNid, room);
  };
  for (const roomNid of chosen.rooms.keys()) {
    const known = results.get(roomNid)?.sent ?? sent.get(roomNid);
    if (!known) continue;
    const hasAccountData = withAccountData.has(roomNid);
    const hasReceipts = withReceipts.has(roomNid);
    const isAsWas =
      known.hasAccountData === hasAccountData &&
      known.hasReceipts === hasReceipts;
    note(roomNid, isAsWas ? known : { ...known, hasAccountData, hasReceipts });
  }
  for (const roomNid of unsent) {
    const known = changes.get(roomNid) ?? sent.get(roomNid);
    if (known?.position === null) note(roomNid, { ...known, position: since });
  }
  for (const roomNid of withoutAccountData) {
    const known = changes.get(roomNid) ?? sent.get(roomNid);
    if (known?.hasAccountData)
      note(roomNid, { ...known, hasAccountData: false });
  }
  return changes;
}
