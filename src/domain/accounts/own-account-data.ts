import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findMembership } from "../../storage/memberships.ts";
import { findAccountData, sumAccountData } from "../../storage/account-data.ts";
import { PUSH_RULES, pushRulesText } from "../push/push-rules.ts";
import { findRoomIdentity } from "../rooms/room-identity.ts";
import { findAccountDataText } from "./account-data.ts";
import { setAccountData } from "./update-account-data.ts";
import { userLimitExceeded } from "./user-limit.ts";

/** Whose account data, of which room; global without one. */
export interface AccountDataPlace {
  ownerId: string;
  roomId?: string;
  type: string;
}

type Reads = Pick<Edges, "db" | "keyring" | "memory">;

const MAX_ITEM_BYTES = 64 * 1024;
const MAX_TOTAL_BYTES = 50 * 1024 * 1024;
const MAX_TYPE_BYTES = 255;
/** What this server keeps in a form of its own. */
const MANAGED = [PUSH_RULES, "m.fully_read"];

/** Whether clients set this type elsewhere, not as account data. */
export const isManaged = (type: string): boolean => MANAGED.includes(type);

/** The content as JSON text. Throws `M_NOT_FOUND`, `M_FORBIDDEN`. */
export async function getOwnAccountData(
  edges: Reads,
  userId: string,
  place: AccountDataPlace,
): Promise<string> {
  assertOwner(userId, place);
  const roomNid = await findRoomNid(edges, userId, place.roomId);
  const text =
    roomNid === undefined
      ? undefined
      : await findAccountDataText(edges, userId, roomNid, place.type);
  if (roomNid === 0 && place.type === PUSH_RULES)
    return pushRulesText(userId, text);
  if (text !== undefined) return text;
  throw new MatrixError("M_NOT_FOUND", "There is no such account data.");
}

/** Throws `M_FORBIDDEN`, `M_TOO_LARGE`; for types that are not managed. */
export async function setOwnAccountData(
  edges: Reads & Pick<Edges, "committer" | "settings">,
  userId: string,
  place: AccountDataPlace,
  content: JsonObject,
): Promise<void> {
  assertOwner(userId, place);
  const { type, roomId } = place;
  assertType(type);
  await assertFits(edges, userId, content);
  const roomNid = await getRoomNid(edges, userId, roomId);
  await setAccountData(edges, { userId, roomNid, type }, content);
}

/** As setting it to nothing (MSC3391), for who keeps as much as they may too. */
export async function deleteOwnAccountData(
  edges: Reads & Pick<Edges, "committer" | "settings">,
  userId: string,
  place: AccountDataPlace,
): Promise<void> {
  assertOwner(userId, place);
  const { type, roomId } = place;
  assertType(type);
  const roomNid = await getRoomNid(edges, userId, roomId);
  const row = await findAccountData(edges.db, userId, roomNid, type);
  if (!row || row.sealed === null) return;
  await setAccountData(edges, { userId, roomNid, type }, {});
}

async function getRoomNid(
  edges: Pick<Edges, "db" | "memory">,
  userId: string,
  roomId: string | undefined,
): Promise<number> {
  const roomNid = await findRoomNid(edges, userId, roomId);
  if (roomNid !== undefined) return roomNid;
  throw new MatrixError("M_FORBIDDEN", "You have never been in this room.");
}

function assertOwner(userId: string, { ownerId }: AccountDataPlace): void {
  if (ownerId === userId) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "Account data of another user cannot be seen or set.",
  );
}

function assertType(type: string): void {
  if (Buffer.byteLength(type) <= MAX_TYPE_BYTES) return;
  throw new MatrixError("M_INVALID_PARAM", "A type has at most 255 bytes.");
}

async function assertFits(
  { db, settings }: Pick<Edges, "db" | "settings">,
  userId: string,
  content: JsonObject,
): Promise<void> {
  const bytes = Buffer.byteLength(JSON.stringify(content));
  if (bytes > MAX_ITEM_BYTES) {
    throw new MatrixError("M_TOO_LARGE", "Account data have at most 64 KiB.");
  }
  if ((await sumAccountData(db, userId)) + bytes > MAX_TOTAL_BYTES) {
    throw userLimitExceeded(
      settings,
      "This account keeps as much account data as it may.",
    );
  }
}

/** 0 for global account data; undefined for rooms that the user never was in. */
async function findRoomNid(
  edges: Pick<Edges, "db" | "memory">,
  userId: string,
  roomId: string | undefined,
): Promise<number | undefined> {
  if (roomId === undefined) return 0;
  const room = await findRoomIdentity(edges, roomId);
  if (!room) return undefined;
  const membership = await findMembership(edges.db, userId, room.roomNid);
  return membership ? room.roomNid : undefined;
}
