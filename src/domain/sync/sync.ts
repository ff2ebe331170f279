import type { Edges } from "../../edges.ts";
import {
  deleteToDevice,
  listTypingRoomsOf,
} from "../../storage/sync-extras.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import { readEpoch } from "../../storage/epoch.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import { readAccountData } from "./account-data-section.ts";
import {
  readDeviceLists,
  readKeyCounts,
  readToDevice,
} from "./device-section.ts";
import { readStrippedRooms } from "./invite-section.ts";
import { readPresence } from "./presence-section.ts";
import { planRooms, type Standing } from "./room-plan.ts";
import { readRoomSections } from "./room-sections.ts";
import { allowsAccountData } from "./sync-filter.ts";
import type { SyncRequest } from "./sync-request.ts";
import { formatSyncToken, type SyncToken } from "./sync-token.ts";

export type SyncEdges = Pick<
  Edges,
  "db" | "keyring" | "memory" | "notifier" | "now" | "settings" | "log"
>;

interface SyncAnswer {
  text: string;
  isEmpty: boolean;
  roomNids: ReadonlySet<number>;
  token: SyncToken;
}

/**
 * One `/sync`: answers at once where there is news, else waits for it.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export async function sync(
  edges: SyncEdges,
  asked: SyncRequest,
  signal: AbortSignal,
): Promise<string> {
  const request = await settleToken(edges, asked);
  const { requester, since } = request;
  if (since) {
    await deleteToDevice(
      edges.db,
      requester.userId,
      requester.deviceId,
      since.toDevicePosition,
    );
    await edges.notifier.caughtUp(since.position);
  }
  // Not the clock's time, which may jump while we wait.
  const deadline = performance.now() + request.timeoutMs;
  for (;;) {
    const answer = await buildAnswer(edges, request);
    const left = deadline - performance.now();
    const mustAnswer =
      since === null || request.isFullState || !answer.isEmpty || left <= 0;
    if (mustAnswer || signal.aborted) return answer.text;
    const outcome = await edges.notifier.wait(
      {
        userId: requester.userId,
        tokenId: requester.tokenId,
        roomNids: answer.roomNids,
      },
      { position: answer.token.position, mark: answer.token.mark },
      left,
      signal,
    );
    if (outcome !== "woken") return answer.text;
  }
}

/** A token of an epoch that a restore has ended gets a fresh sync. */
async function settleToken(
  edges: SyncEdges,
  request: SyncRequest,
): Promise<SyncRequest> {
  if (!request.since) return request;
  const epoch = await readEpoch(edges.db);
  return request.since.epoch === epoch ? request : { ...request, since: null };
}

async function buildAnswer(
  edges: SyncEdges,
  request: SyncRequest,
): Promise<SyncAnswer> {
  const { requester, filter, since } = request;
  const { userId } = requester;
  const mark = edges.notifier.ephemeralMark;
  const { upTo, standings } = await readStandingsUpTo(edges, userId);
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
    },
  );
  const newRooms = plan.rooms
    .filter(({ isNew }) => isNew)
    .map(({ roomNid }) => roomNid);
  const roomData =
    since === null || newRooms.length === 0
      ? accountData
      : await readAccountData(edges, userId, { after, upTo }, newRooms);
  const ignored = await listIgnoredUsers(edges, userId);
  const sections = await readRoomSections(
    edges,
    request,
    plan,
    upTo,
    roomData,
    ignored,
  );
  const stripped = await readStrippedRooms(edges, userId, plan, ignored);
  const toDevice = await readToDevice(
    edges,
    requester,
    since?.toDevicePosition ?? 0,
    upTo,
  );
  const presence = await readPresence(
    edges,
    userId,
    plan,
    { mark: since?.mark ?? 0, position: after },
    filter,
  );
  const global = (accountData.get(0) ?? []).filter((text) =>
    allowsAccountData(filter.accountData, text),
  );
  const keys = await readKeyCounts(edges, requester);
  const token: SyncToken = {
    epoch: since?.epoch ?? (await readEpoch(edges.db)),
    position: upTo,
    toDevicePosition: toDevice.position,
    mark,
  };
  const shown = sections.filter(
    ({ isEmpty }) => !isEmpty || request.isFullState,
  );
  const inSection = (name: "join" | "leave") =>
    shown
      .filter(({ plan: room }) => room.section === name)
      .map(({ plan: room, text }) => `${JSON.stringify(room.roomId)}:${text}`);
  const parts = [
    `"next_batch":${JSON.stringify(formatSyncToken(token))}`,
    `"rooms":{"join":{${inSection("join").join(",")}},"leave":{${inSection("leave").join(",")}},"invite":{${stripped.invite.join(",")}},"knock":{${stripped.knock.join(",")}}}`,
    `"account_data":{"events":[${global.join(",")}]}`,
    `"presence":{"events":${JSON.stringify(presence)}}`,
    `"to_device":{"events":[${toDevice.events.join(",")}]}`,
    `"device_one_time_keys_count":${JSON.stringify(keys.counts)}`,
    `"device_unused_fallback_key_types":${JSON.stringify(keys.fallback)}`,
  ];
  let hasDeviceNews = false;
  if (since) {
    const lists = await readDeviceLists(
      edges,
      userId,
      plan,
      since.position,
      upTo,
    );
    hasDeviceNews = lists.changed.length > 0 || lists.left.length > 0;
    if (hasDeviceNews) parts.push(`"device_lists":${JSON.stringify(lists)}`);
  }
  return {
    text: `{${parts.join(",")}}`,
    isEmpty:
      shown.length === 0 &&
      stripped.invite.length === 0 &&
      stripped.knock.length === 0 &&
      global.length === 0 &&
      presence.length === 0 &&
      toDevice.events.length === 0 &&
      !hasDeviceNews,
    roomNids: new Set(plan.joined.map(({ roomNid }) => roomNid)),
    token,
  };
}

/** A user's memberships and a position that none of them is beyond. */
async function readStandingsUpTo(
  edges: SyncEdges,
  userId: string,
): Promise<{ upTo: number; standings: Standing[] }> {
  for (;;) {
    const upTo = await edges.notifier.refresh();
    const standings = await listMembershipsOf(edges.db, userId);
    // A change that came in between would hide what the room said before it.
    if (standings.every(({ position }) => position <= upTo))
      return { upTo, standings };
  }
}

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
