import { createHash } from "node:crypto";
import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import { isUserId } from "../../../core/ids.ts";
import type { JsonObject } from "../../../core/json.ts";
import {
  findNoticeRoom,
  listNoticeRooms,
  type NoticeRoomRow,
} from "../../../storage/notice-rooms.ts";
import { listFindable } from "../../../storage/user-directory.ts";
import { findUser } from "../../../storage/users.ts";
import { derive } from "../../../util/derive.ts";
import { setProfileField } from "../../accounts/profile.ts";
import {
  registerAccount,
  type RegisterEdges,
} from "../../accounts/register.ts";
import type { Requester } from "../../accounts/requester.ts";
import { updateAccountData } from "../../accounts/update-account-data.ts";
import { transactionOf } from "../../idempotency.ts";
import { createRoom } from "../../rooms/create-room.ts";
import { makeAnew } from "../../rooms/make-anew.ts";
import { letReact } from "../../rooms/let-react.ts";
import { inviteUser } from "../../rooms/membership.ts";
import { parseRoomRequest } from "../../rooms/parse-room-request.ts";
import { LostRace } from "../../rooms/room-queue.ts";
import type { WriterEdges } from "../../rooms/room-writer.ts";
import { sendMessage } from "../../rooms/send.ts";
import { setRoomState } from "../../rooms/set-state.ts";
import { noticesUserId } from "../../rooms/server-notices.ts";
import { TAGS, tagsIn } from "../../rooms/tags.ts";
import type { Administrator } from "../change-authority.ts";
import { getAccountRow } from "./account.ts";

type Needs = WriterEdges & RegisterEdges;

export interface Notice {
  userId: string;
  type: string;
  content: JsonObject;
  /** For state in place of a message. */
  stateKey?: string;
  /** Given again, the same notice is answered. */
  txnId?: string;
  /** Whether a reaction is expected, which rooms of former times let nobody send. */
  isToAnswer?: true;
}

/**
 * Tells a user something in the one room that the server has for it, and answers the event.
 * https://spec.matrix.org/v1.19/client-server-api/#server-notices
 */
export async function sendNotice(
  edges: Needs,
  by: Administrator,
  notice: Notice,
): Promise<string> {
  const { userId, type } = notice;
  await assertThere(edges, userId);
  edges.trail?.note({
    resource: { type: "user", id: userId },
    after: { type },
  });
  return deliver(edges, by.requester, notice);
}

/**
 * The same without a record of an act, for what the server has to say of itself.
 * @param from whose transaction it is
 */
export async function deliverNotice(
  edges: Needs,
  from: { userId: string; deviceId: string },
  notice: Notice,
): Promise<string> {
  await assertThere(edges, notice.userId);
  return deliver(edges, from, notice);
}

/**
 * The same to several, each by itself: what is against one keeps no other from it. What
 * they have in common, and in which rooms they are, is asked once.
 */
export async function deliverNotices(
  edges: Needs,
  from: { userId: string; deviceId: string },
  notices: readonly Notice[],
): Promise<(string | MatrixError)[]> {
  if (notices.length === 0) return [];
  const userIds = notices.map(({ userId }) => userId);
  const sender = await getSender(withoutRecord(edges));
  const there = new Set(await listFindable(edges.db, userIds));
  const rooms = await listNoticeRooms(edges.db, userIds);
  return Promise.all(
    notices.map(async (notice) => {
      const { userId } = notice;
      if (!there.has(userId)) return noUser();
      try {
        const room = rooms.get(userId);
        return await deliver(edges, from, notice, { sender, room });
      } catch (error) {
        if (error instanceof MatrixError) return error;
        throw error;
      }
    }),
  );
}

async function assertThere(edges: Needs, userId: string): Promise<void> {
  const user = await getAccountRow(edges, userId);
  if (user.isDeactivated || user.isGuest) throw noUser();
}

const noUser = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such user here.");

/** What was asked for several at once; the room may be another by now. */
interface Known {
  sender: Requester;
  room: NoticeRoomRow | undefined;
}

async function deliver(
  edges: Needs,
  from: { userId: string; deviceId: string },
  { userId, type, content, stateKey, txnId, isToAnswer }: Notice,
  known?: Known,
): Promise<string> {
  // What the notice needs is made before; the record is of the notice, and goes with it.
  const making = withoutRecord(edges);
  const sender = known?.sender ?? (await getSender(making));
  const roomId =
    openRoomIn(known?.room) ??
    (await makeAnew(() => getRoom(making, sender, userId)));
  if (isToAnswer) await letReact(making, sender, roomId);
  const transaction = transactionOf(
    from,
    "server notice",
    userId,
    // One that nobody will name again.
    txnId ?? edges.random.token(),
  );
  return stateKey === undefined
    ? sendMessage(
        edges,
        sender,
        roomId,
        { type, content, txnId: transaction.txnId },
        transaction,
      )
    : setRoomState(
        edges,
        sender,
        roomId,
        { type, stateKey, content },
        transaction,
      );
}

const withoutRecord = (edges: Needs): Needs =>
  edges.trail
    ? derive(edges, { committer: edges.trail.committer, trail: undefined })
    : edges;

/** The account that tells it, made when it is first needed; it has no password. */
async function getSender(edges: Needs): Promise<Requester> {
  const userId = noticesUserId(edges.settings);
  const user = await findUser(edges.db, userId);
  if (!user) await makeSender(edges, userId);
  else if (user.passwordHash !== null || user.isDeactivated) {
    throw new MatrixError(
      "M_UNKNOWN",
      "The account of server_notices.localpart is somebody's: set another name.",
    );
  }
  if (!isUserId(userId)) throw new TypeError("not a user id");
  return {
    ...{ userId, deviceId: "", tokenId: 0 },
    ...{ isGuest: false, isSuspended: false },
  };
}

async function makeSender(edges: Needs, userId: string): Promise<void> {
  const { localpart, displayName, avatarUrl } = edges.settings.serverNotices;
  const account = { localpart, displayName, password: null, isServers: true };
  await registerAccount(edges, account, null).catch((error: unknown) => {
    // Another process made it just now.
    const isThere =
      error instanceof MatrixError && error.errcode === "M_USER_IN_USE";
    if (!isThere) throw error;
  });
  if (avatarUrl !== undefined)
    await setProfileField(edges, userId, "avatar_url", avatarUrl);
}

/** The user's room, with the user in it or invited. */
async function getRoom(
  edges: Needs,
  sender: Requester,
  userId: string,
): Promise<string> {
  const known = await findNoticeRoom(edges.db, userId);
  if (!known || known.roomId === null)
    return makeRoom(edges, sender, userId, known?.roomNid ?? 0);
  if (openRoomIn(known) === undefined) {
    await tag(edges, userId, known.roomNid);
    await inviteUser(edges, sender, known.roomId, userId);
  }
  return known.roomId;
}

/** A room that the user is in, or is invited to. */
function openRoomIn(room: NoticeRoomRow | undefined): string | undefined {
  const isIn = room?.membership === "join" || room?.membership === "invite";
  return isIn ? (room.roomId ?? undefined) : undefined;
}

async function makeRoom(
  edges: Needs,
  sender: Requester,
  userId: string,
  before: number,
): Promise<string> {
  const { settings } = edges;
  const { roomName, roomTopic, avatarUrl } = settings.serverNotices;
  const { request } = parseRoomRequest(settings, {
    preset: "private_chat",
    name: roomName,
    ...(roomTopic !== undefined && { topic: roomTopic }),
    ...(avatarUrl !== undefined && {
      initial_state: [{ type: "m.room.avatar", content: { url: avatarUrl } }],
    }),
    // Nobody answers there, but by a reaction.
    power_level_content_override: {
      users_default: -10,
      events: { "m.reaction": -10 },
    },
  });
  const { roomId, roomNid } = await createRoom(edges, sender, request, {
    isPublished: false,
    async assertStill() {
      const now = await findNoticeRoom(edges.db, userId);
      if ((now?.roomNid ?? 0) !== before)
        throw new MadeMeanwhile("There is a room by now.");
    },
    also: (room) => ({
      rows: { noticeRooms: [{ userId, roomNid: room.roomNid }] },
      claim: claimOf(userId, before),
    }),
  }).catch((error: unknown) => {
    if (error instanceof MadeMeanwhile)
      throw new LostRace("There is a room by now.");
    throw error;
  });
  await tag(edges, userId, roomNid);
  await inviteUser(edges, sender, roomId, userId);
  return roomId;
}

class MadeMeanwhile extends Error {
  override name = "MadeMeanwhile";
}

const claimOf = (userId: string, before: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["notice room", userId, before]))
    .digest()
    .subarray(0, 16);

/** Clients know the room by its tag, from the invite on. */
const tag = (
  edges: Pick<Edges, "committer" | "db" | "keyring" | "settings">,
  userId: string,
  roomNid: number,
): Promise<void> =>
  updateAccountData(edges, { userId, roomNid, type: TAGS }, (standing) => ({
    ...standing,
    tags: { ...tagsIn(standing), "m.server_notice": {} },
  }));
