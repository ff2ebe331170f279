import type { UserView } from "../user-view.ts";
import type { AnsweredRooms } from "./answer-rooms.ts";
import { extendAccountData } from "./extend-account-data.ts";
import { extendE2ee } from "./extend-e2ee.ts";
import { extendThreadSubscriptions } from "./extend-thread-subscriptions.ts";
import { extendReceipts, type ReceiptsRoom } from "./extend-receipts.ts";
import { extendToDevice, type ToDeviceRequest } from "./extend-to-device.ts";
import { extendTyping } from "./extend-typing.ts";
import { roomsInScope } from "./extension-scope.ts";
import type { SentRoom, SentRooms } from "./sent-rooms.ts";
import type { SlidingEdges } from "./sliding-edges.ts";
import type { ExtensionScope, SlidingRequest } from "./sliding-request.ts";

export interface AnsweredExtensions {
  /** By name, as JSON text. */
  texts: ReadonlyMap<string, string>;
  isEmpty: boolean;
  keysDigest: number;
  /** The rooms that account data, and receipts, were told of. */
  withAccountData: ReadonlySet<number>;
  withReceipts: ReadonlySet<number>;
  /** Rooms whose account data changed, and was not told. */
  withoutAccountData: readonly number[];
}

/** Where the answer stands, and from where the client comes. */
export interface AnswerPlace {
  epoch: number;
  mark: number;
  sent: SentRooms;
  toDevice: ToDeviceRequest | null;
}

const NO_ROOMS: ReadonlySet<number> = new Set();

export async function answerExtensions(
  edges: SlidingEdges,
  { requester, pos, extensions }: SlidingRequest,
  view: UserView,
  rooms: AnsweredRooms,
  { epoch, mark, sent, toDevice }: AnswerPlace,
): Promise<AnsweredExtensions> {
  const { userId } = requester;
  const { upTo } = view;
  const { accountData, receipts, typing, threadSubscriptions } = extensions;
  const known = (roomNid: number): SentRoom | undefined =>
    rooms.results.get(roomNid)?.sent ?? sent.get(roomNid);
  /** Rooms in scope of which the client knows, or gets to know by the answer. */
  const scopeOf = (scope: ExtensionScope | null): ReadonlySet<number> =>
    scope === null
      ? NO_ROOMS
      : new Set(
          [...roomsInScope(scope, rooms.chosen)].filter(
            (roomNid) => known(roomNid) !== undefined,
          ),
        );
  const withAccountData = scopeOf(accountData);
  const withReceipts = scopeOf(receipts);
  const idOf = (roomNid: number): string =>
    rooms.chosen.rooms.get(roomNid)!.room.standing.roomId;
  const isJoined = (roomNid: number): boolean =>
    known(roomNid)?.kind === "join";

  const [toDeviceNews, e2ee, data, receiptNews, typingNews, threadNews] =
    await Promise.all([
      toDevice && extendToDevice(edges, requester, toDevice, { epoch, upTo }),
      extensions.e2ee ? extendE2ee(edges, requester, view, pos) : null,
      accountData &&
        extendAccountData(
          edges,
          userId,
          view,
          pos,
          new Map(
            [...withAccountData].map((roomNid) => [
              roomNid,
              { roomId: idOf(roomNid), sent: known(roomNid)! },
            ]),
          ),
        ),
      receipts &&
        extendReceipts(
          edges,
          userId,
          [...withReceipts]
            .filter(isJoined)
            .flatMap((roomNid) =>
              receiptsRoom(roomNid, idOf(roomNid), rooms, sent, pos?.position),
            ),
          view,
        ),
      typing &&
        extendTyping(
          edges,
          new Map(
            [...scopeOf(typing)].filter(isJoined).map((roomNid) => [
              roomNid,
              {
                roomId: idOf(roomNid),
                isFresh: sent.get(roomNid)?.kind !== "join",
              },
            ]),
          ),
          { since: pos?.mark ?? null, mark },
          view.ignored,
        ),
      threadSubscriptions &&
        extendThreadSubscriptions(
          edges,
          userId,
          threadSubscriptions.limit,
          pos,
          upTo,
        ),
    ]);
  const news = {
    to_device: toDeviceNews,
    e2ee,
    account_data: data,
    receipts: receiptNews,
    typing: typingNews,
    "io.element.msc4308.thread_subscriptions": threadNews,
  };
  const told = Object.entries(news).flatMap(([name, extension]) =>
    extension ? [[name, extension] as const] : [],
  );
  return {
    texts: new Map(told.map(([name, { text }]) => [name, text])),
    isEmpty: told.every(([, { isEmpty }]) => isEmpty),
    keysDigest: e2ee?.keysDigest ?? 0,
    withAccountData,
    withReceipts,
    withoutAccountData: data?.unsent ?? [],
  };
}

/** What receipts of a room are news; nothing where there are none. */
function receiptsRoom(
  roomNid: number,
  roomId: string,
  { results, receipts, touched }: AnsweredRooms,
  sent: SentRooms,
  since = 0,
): ReceiptsRoom[] {
  const before = sent.get(roomNid);
  const result = results.get(roomNid);
  const room = { roomNid, roomId, firstPosition: null, known: null };
  if (!before?.hasReceipts || result?.isFresh) {
    const firstPosition = result?.firstPosition ?? null;
    return [{ ...room, after: null, firstPosition }];
  }
  const known = receipts.get(roomNid) ?? null;
  const isNews = known ? known.length > 0 : touched.has(roomNid);
  return isNews ? [{ ...room, after: before.position ?? since, known }] : [];
}
