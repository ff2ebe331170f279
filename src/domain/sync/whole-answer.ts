import { listTypingRoomsOf } from "../../storage/sync-extras.ts";
import { formatPositionToken } from "../rooms/paging-token.ts";
import { readAccountData } from "./account-data-section.ts";
import { noteClear, readKeyCountsOnce } from "./device-memory.ts";
import { readDeviceLists, readToDevice } from "./device-section.ts";
import { readEpochOnce } from "./epoch.ts";
import { readStrippedRooms } from "./invite-section.ts";
import { readPresence } from "./presence-section.ts";
import { writeRoomEntry } from "./room-entry.ts";
import { planRooms } from "./room-plan.ts";
import { partsOf, readRoomSections, type SyncPart } from "./room-sections.ts";
import {
  type AnsweredRoom,
  openAnswer,
  RoomsWriter,
  type SyncAnswer,
  type SyncEdges,
} from "./sync-answer.ts";
import { digestIn, readShift, stillShown } from "./seen-view.ts";
import { allowsAccountData, isRoomWanted } from "./sync-filter.ts";
import type { SyncRequest } from "./sync-request.ts";
import { formatSyncToken, type SyncToken } from "./sync-token.ts";
import type { UserView } from "./user-view.ts";

/**
 * The answer to any `/sync`, with a fixed number of queries for each part of the rooms.
 * Parts are read until one has something to tell; what comes then is the rest.
 */
export async function readWholeAnswer(
  edges: SyncEdges,
  request: SyncRequest,
  view: UserView,
  mark: number,
): Promise<SyncAnswer> {
  const { upTo, standings, ignored } = view;
  const { requester, filter, since } = request;
  const { userId } = requester;
  const { gone, returned } = await readShift(edges, userId, view, since);
  const after = since?.position ?? 0;
  const accountData = await readAccountData(edges, userId, { after, upTo }, []);
  const plan = await planRooms(
    edges,
    userId,
    standings,
    since?.position ?? null,
    upTo,
    {
      isFullState: request.isFullState,
      includeLeft: filter.room.includeLeave,
      also: await roomsToLookAt(edges, request, accountData),
      returned,
    },
  );
  const newRooms = plan.rooms
    .filter(({ isNew }) => isNew)
    .map(({ roomNid }) => roomNid);
  const roomData =
    since === null || newRooms.length === 0
      ? accountData
      : await readAccountData(edges, userId, { after, upTo }, newRooms);
  const readShown = async (part: SyncPart): Promise<AnsweredRoom[]> => {
    const sections = await readRoomSections(
      edges,
      request,
      part,
      upTo,
      roomData,
      ignored,
    );
    return sections.filter(({ isEmpty }) => !isEmpty || request.isFullState);
  };
  const parts = partsOf(plan);
  let shown: AnsweredRoom[] = [];
  while (shown.length === 0 && parts.length > 0)
    shown = await readShown(parts.shift()!);
  const stripped = await readStrippedRooms(
    edges,
    userId,
    plan,
    filter,
    ignored,
  );
  const toDevice = await readToDevice(
    edges,
    requester,
    since?.toDevicePosition ?? 0,
    upTo,
  );
  if (toDevice.isClear) noteClear(edges, requester, upTo);
  const presence = await readPresence(
    edges,
    userId,
    plan,
    { mark: since?.mark ?? 0, position: after },
    filter,
    ignored,
  );
  const global = (accountData.get(0) ?? []).filter((text) =>
    allowsAccountData(filter.accountData, text),
  );
  const keys = await readKeyCountsOnce(edges, requester, upTo);
  const token: SyncToken = {
    epoch: since?.epoch ?? (await readEpochOnce(edges)),
    position: upTo,
    toDevicePosition: toDevice.position,
    mark,
    start: since?.start ?? upTo,
    keysDigest: keys.digest,
    withheld: digestIn(view),
  };
  const hasKeyNews = since !== null && since.keysDigest !== keys.digest;
  const lists = since
    ? await readDeviceLists(edges, userId, plan, since.position, upTo)
    : { changed: [], left: [] };
  const hasDeviceNews = lists.changed.length > 0 || lists.left.length > 0;
  const head = openAnswer({
    token: formatSyncToken(token),
    invite: stripped.invite,
    knock: stripped.knock,
    accountData: global,
    presence,
    toDevice: toDevice.events,
    keyCounts: keys.counts,
    fallbackTypes: keys.fallback,
    deviceLists: hasDeviceNews ? lists : null,
  });
  const writer = new RoomsWriter();
  const text = head + writer.write(shown);
  const left = gone
    .filter(({ roomId }) => isRoomWanted(filter, roomId))
    .map(({ roomId }) => leftEntry(roomId, upTo));
  const readStill = async (part: SyncPart) =>
    readShown({ ...part, rooms: await stillShown(edges, userId, part.rooms) });
  return {
    ...(parts.length === 0
      ? { text: text + writer.write(left) + writer.close() }
      : { text, rest: writeRest(writer, parts, readStill, left) }),
    isEmpty:
      shown.length === 0 &&
      left.length === 0 &&
      stripped.invite.length === 0 &&
      stripped.knock.length === 0 &&
      global.length === 0 &&
      presence.length === 0 &&
      toDevice.events.length === 0 &&
      !hasDeviceNews &&
      !hasKeyNews,
    token,
  };
}

async function* writeRest(
  writer: RoomsWriter,
  parts: readonly SyncPart[],
  read: (part: SyncPart) => Promise<AnsweredRoom[]>,
  left: readonly AnsweredRoom[],
): AsyncGenerator<string> {
  for (const part of parts) yield writer.write(await read(part));
  yield writer.write(left) + writer.close();
}

/** A room that is withheld by now is one that the user has left, and nothing is said of it. */
const leftEntry = (roomId: string, upTo: number): AnsweredRoom => ({
  section: "leave",
  roomId,
  text: writeRoomEntry({
    ...{ timeline: [], isLimited: false, stateName: "state", state: [] },
    ...{ prevBatch: formatPositionToken(upTo), accountData: [], joined: null },
  }),
});

/** Rooms with news outside of their stream: account data and typing. */
async function roomsToLookAt(
  edges: SyncEdges,
  { since, requester }: SyncRequest,
  accountData: ReadonlyMap<number, string[]>,
): Promise<Set<number>> {
  const rooms = new Set(accountData.keys());
  rooms.delete(0);
  if (since) {
    for (const roomNid of await listTypingRoomsOf(
      edges.db,
      requester.userId,
      since.mark,
    ))
      rooms.add(roomNid);
  }
  return rooms;
}
