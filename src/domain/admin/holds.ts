import { isRoomId, isUserId } from "../../core/ids.ts";
import { MatrixError } from "../../core/errors.ts";
import { mergeEventText } from "../../core/event-parts.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import {
  findHold,
  listHeldEvents,
  listHolds,
  listRoomNids,
  type HeldEventRow,
  type HeldPlace,
  type HoldRow,
  type HoldSearch,
} from "../../storage/holds.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import { noteRead } from "./note-read.ts";

export type { HeldPlace, HoldRow };

export interface NewHold {
  name: string;
  caseId: string;
  reason: string;
  /** Null for all. */
  userIds: readonly string[] | null;
  roomIds: readonly string[] | null;
  fromTs: number | null;
  untilTs: number | null;
}

export const searchHolds = (
  { db }: Pick<Edges, "db">,
  search: HoldSearch,
): Promise<{ holds: HoldRow[]; total: number }> => listHolds(db, search);

/** @throws MatrixError M_NOT_FOUND */
export async function readHold(
  { db }: Pick<Edges, "db">,
  holdId: string,
): Promise<HoldRow> {
  const hold = await findHold(db, holdId);
  if (!hold) throw new MatrixError("M_NOT_FOUND", "There is no such hold.");
  return hold;
}

/**
 * Keeps what users wrote, what rooms have, or what is of a time from destruction. When
 * this resolves, nobody destroys any of it, also not who had begun to.
 * @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND
 */
export async function placeHold(
  edges: Pick<Edges, "committer" | "db" | "now" | "random">,
  by: ActingAdministrator,
  hold: NewHold,
): Promise<HoldRow> {
  const { userIds, roomIds, fromTs, untilTs, caseId, reason } = hold;
  if (!userIds && !roomIds && fromTs === null && untilTs === null)
    throw invalid("A hold names users, rooms or a time.");
  if (fromTs !== null && untilTs !== null && fromTs > untilTs)
    throw invalid("from_ts must not come after until_ts.");
  if (userIds?.some((userId) => !isUserId(userId)))
    throw invalid("users must be user IDs.");
  if (roomIds?.some((roomId) => !isRoomId(roomId)))
    throw invalid("rooms must be room IDs.");
  const holdId = edges.random.token(16);
  const createdBy = by.actor.userId;
  const roomNids = roomIds && (await findRooms(edges, roomIds));
  const details: JsonObject = {
    // Whose it is stands in the hold: a record outlives whom it names.
    ...{ users: userIds?.length ?? null, rooms: roomIds && [...roomIds] },
    ...{ from_ts: fromTs, until_ts: untilTs },
  };
  await edges.committer.commit({
    positions: 0,
    rows: { holds: [{ ...hold, holdId, roomNids, createdBy }] },
    audit: [
      {
        ...recordOf(by, `hold ${holdId}`, edges.now(), details),
        ...{ caseId, reason },
      },
    ],
  });
  return readHold(edges, holdId);
}

async function findRooms(
  { db }: Pick<Edges, "db">,
  roomIds: readonly string[],
): Promise<number[]> {
  const rooms = await listRoomNids(db, roomIds);
  const known = new Set(rooms.map(({ roomId }) => roomId));
  if (roomIds.some((roomId) => !known.has(roomId)))
    throw new MatrixError("M_NOT_FOUND", "A room is not known here.");
  return rooms.map(({ roomNid }) => roomNid);
}

/**
 * A hold that was not released.
 * @throws MatrixError M_NOT_FOUND, M_BAD_STATE
 */
export async function getStandingHold(
  edges: Pick<Edges, "db">,
  holdId: string,
): Promise<HoldRow> {
  const hold = await readHold(edges, holdId);
  if (hold.releasedTs === null) return hold;
  throw new MatrixError("M_BAD_STATE", "This hold was released before.");
}

/**
 * Lets what a hold kept go, unless another one is of it.
 * @throws MatrixError M_NOT_FOUND, M_BAD_STATE
 */
export async function releaseHold(
  edges: Pick<Edges, "committer" | "db" | "now">,
  by: ActingAdministrator,
  holdId: string,
  reason: string,
): Promise<HoldRow> {
  const { caseId } = await getStandingHold(edges, holdId);
  const releasedBy = by.actor.userId;
  await edges.committer.commit({
    positions: 0,
    rows: { holdReleases: [{ holdId, releasedBy, releaseReason: reason }] },
    audit: [
      {
        ...recordOf(by, `hold ${holdId}`, edges.now()),
        ...{ caseId, reason },
      },
    ],
  });
  return readHold(edges, holdId);
}

export interface HeldEvent extends Pick<
  HeldEventRow,
  "roomId" | "eventId" | "receivedTs" | "isRedacted"
> {
  /** As it was before anybody redacted it. */
  event: JsonObject;
}

/** A page of what a hold is of, originals included; each is recorded. */
export async function exportHeld(
  edges: Pick<Edges, "db" | "keyring" | "trail">,
  by: ActingAdministrator,
  holdId: string,
  { after, limit }: { after: HeldPlace | undefined; limit: number },
): Promise<{ events: HeldEvent[]; next: HeldPlace | undefined }> {
  const { db, keyring } = edges;
  await readHold(edges, holdId);
  const found = await listHeldEvents(db, holdId, after, limit);
  const rows = found.events;
  noteRead(edges, by, `hold ${holdId}`, { read: "events", count: rows.length });
  const keys = await keyring.findByIds(
    rows.flatMap(({ firstKey, secondKey }) =>
      firstKey === null || secondKey === null ? [] : [firstKey, secondKey],
    ),
  );
  const events = rows.map((row) => {
    const { firstKey, secondKey, sealed, skeleton, eventId } = row;
    const content =
      firstKey === null || secondKey === null || sealed === null
        ? undefined
        : keyring.tryOpen({ firstKey, secondKey, sealed }, eventId, keys);
    const text = mergeEventText(skeleton, content ?? null);
    return { ...row, event: JSON.parse(text) as JsonObject };
  });
  return { events, next: found.next };
}

const invalid = (message: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", message);
