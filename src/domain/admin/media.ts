import { MatrixError } from "../../core/errors.ts";
import { mxcOf } from "../../core/mxc.ts";
import type { Edges } from "../../edges.ts";
import { listHeldMedia } from "../../storage/holds.ts";
import {
  findMediumInfo,
  listBlobsOf,
  listMediaOf,
  listMediaOfRoom,
  listOldMedia,
  listQuarantinable,
  listQuarantineChanges,
  type MediaOrder,
  type MediumInfo,
  type OldMediaSearch,
  type QuarantineChangeRow,
} from "../../storage/media-admin.ts";
import type { WriteRows } from "../../storage/write.ts";
import { openFileSecret } from "../media/file-secret.ts";
import { removeDroppedBlobs } from "../media/remove-blobs.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import { committerOfParts, type CommitPart } from "./commit-parts.ts";
import { heldError } from "./held-error.ts";
import { getRoomForAdmin } from "./room-details.ts";

type Reads = Pick<Edges, "db" | "keyring">;
type Writes = Pick<Edges, "committer" | "db" | "now">;

export type FoundMedium = MediumInfo & { name: string | null };

/** What is written in one transaction. */
const AT_ONCE = 250;
const MOST = 100_000;

const noSuchMedium = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such file here.");

/** Of other servers nothing is kept here. */
export function assertOwnServer(
  { settings }: Pick<Edges, "settings">,
  serverName: string,
): void {
  if (serverName !== settings.serverName)
    throw new MatrixError("M_INVALID_PARAM", "Only local media are kept here.");
}

/** @throws MatrixError M_NOT_FOUND */
export async function readMedium(
  edges: Reads & Pick<Edges, "settings">,
  serverName: string,
  mediaId: string,
): Promise<FoundMedium> {
  const row =
    serverName === edges.settings.serverName
      ? await findMediumInfo(edges.db, mediaId)
      : undefined;
  if (!row) throw noSuchMedium();
  const [found] = await withNames(edges, [row]);
  return found!;
}

const withNames = (
  edges: Reads,
  rows: readonly MediumInfo[],
): Promise<FoundMedium[]> =>
  Promise.all(
    rows.map(async (row) => {
      const { sealed } = row;
      const opened =
        sealed && (await openFileSecret(edges, { ...row, sealed }));
      return { ...row, name: opened?.name ?? null };
    }),
  );

export interface MediaQuery {
  order: MediaOrder | "upload_name";
  isDescending: boolean;
  limit: number;
  offset: number;
}

/** Their names are sealed: for an order by them all are opened. */
const MOST_NAMES = 10_000;

/** A page of what a user has uploaded. */
export async function searchMediaOf(
  edges: Reads,
  userId: string,
  { order, ...page }: MediaQuery,
): Promise<{ media: FoundMedium[]; total: number }> {
  if (order !== "upload_name") {
    const { media, total } = await listMediaOf(edges.db, userId, {
      ...page,
      order,
    });
    return { media: await withNames(edges, media), total };
  }
  const { media, total } = await listMediaOf(edges.db, userId, {
    ...{ order: "media_id", isDescending: false },
    ...{ limit: MOST_NAMES, offset: 0 },
  });
  const named = await withNames(edges, media);
  const turn = page.isDescending ? -1 : 1;
  named.sort(
    (a, b) =>
      turn *
      (compare(a.name ?? "", b.name ?? "") || compare(a.mediaId, b.mediaId)),
  );
  const { offset, limit } = page;
  return { media: named.slice(offset, offset + limit), total };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The media that a room's events name, as far as they can be read. */
export async function listRoomMedia(
  edges: Pick<Edges, "db" | "memory" | "settings">,
  roomId: string,
): Promise<string[]> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  const ids = await listMediaOfRoom(edges.db, roomNid);
  return ids.map((mediaId) => mxcOf(edges.settings.serverName, mediaId));
}

/** Withholds what a room's events name; answers how much. */
export async function quarantineRoom(
  edges: Writes & Pick<Edges, "memory">,
  by: ActingAdministrator,
  roomId: string,
): Promise<number> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  const named = await listMediaOfRoom(edges.db, roomNid);
  const ids = await listQuarantinable(edges.db, { mediaIds: named }, MOST);
  return quarantine(edges, by, roomId, ids);
}

/** Withholds all that a user has uploaded; answers how much. */
export async function quarantineUser(
  edges: Writes,
  by: ActingAdministrator,
  userId: string,
): Promise<number> {
  const ids = await listQuarantinable(edges.db, { userId }, MOST);
  return quarantine(edges, by, userId, ids);
}

/** Withholds one medium, unless it is protected. What is of another server is not here. */
export async function quarantineMedium(
  edges: Writes & Pick<Edges, "settings">,
  by: ActingAdministrator,
  serverName: string,
  mediaId: string,
): Promise<void> {
  assertOwnServer(edges, serverName);
  if (!(await findMediumInfo(edges.db, mediaId))) throw noSuchMedium();
  await quarantine(edges, by, mxcOf(serverName, mediaId), [mediaId]);
}

async function quarantine(
  edges: Writes,
  by: ActingAdministrator,
  target: string,
  mediaIds: readonly string[],
): Promise<number> {
  const quarantinedBy = by.actor.userId;
  const commit = committerOfParts(edges, by, target);
  for (const part of partsOf(mediaIds))
    await commit(
      {
        quarantinedMedia: part.map((mediaId) => ({ mediaId, quarantinedBy })),
      },
      { media: part.length },
    );
  return mediaIds.length;
}

/** At least one, so that a record says that there was nothing. */
function partsOf(mediaIds: readonly string[]): (readonly string[])[] {
  const parts = [mediaIds.slice(0, AT_ONCE)];
  for (let from = AT_ONCE; from < mediaIds.length; from += AT_ONCE)
    parts.push(mediaIds.slice(from, from + AT_ONCE));
  return parts;
}

/** Gives a medium free again. */
export async function releaseMedium(
  edges: Writes & Pick<Edges, "settings">,
  by: ActingAdministrator,
  serverName: string,
  mediaId: string,
): Promise<void> {
  assertOwnServer(edges, serverName);
  const target = mxcOf(serverName, mediaId);
  await change(edges, by, target, mediaId, { releasedMedia: [{ mediaId }] });
}

/** A protected medium is never quarantined, and goes with nothing else that goes. */
export async function protectMedium(
  edges: Writes & Pick<Edges, "settings">,
  by: ActingAdministrator,
  mediaId: string,
  isProtected: boolean,
): Promise<void> {
  const target = mxcOf(edges.settings.serverName, mediaId);
  await change(edges, by, target, mediaId, {
    mediaProtections: [{ mediaId, isProtected }],
  });
}

async function change(
  { committer, db, now }: Writes,
  by: ActingAdministrator,
  target: string,
  mediaId: string,
  rows: Partial<WriteRows>,
): Promise<void> {
  if (!(await findMediumInfo(db, mediaId))) throw noSuchMedium();
  const audit = [recordOf(by, target, now())];
  await committer.commit({ positions: 1, rows, audit });
}

export const readQuarantineChanges = (
  { db }: Pick<Edges, "db">,
  after: number,
  limit: number,
): Promise<QuarantineChangeRow[]> => listQuarantineChanges(db, after, limit);

type Deletes = Writes & Pick<Edges, "log" | "mediaStore" | "settings">;

/** Deletes one medium for good: its key with its row, then its bytes. */
export async function deleteMedium(
  edges: Deletes,
  by: ActingAdministrator,
  serverName: string,
  mediaId: string,
): Promise<void> {
  assertOwnServer(edges, serverName);
  if (!(await findMediumInfo(edges.db, mediaId))) throw noSuchMedium();
  await deleteAll(edges, by, mxcOf(serverName, mediaId), [mediaId]);
}

/** Throws what keeps a medium from being deleted as things are. */
export async function validateDeletion(
  { db, settings }: Pick<Edges, "db" | "settings">,
  serverName: string,
  mediaId: string,
): Promise<void> {
  assertOwnServer({ settings }, serverName);
  if (!(await findMediumInfo(db, mediaId))) throw noSuchMedium();
  if ((await listHeldMedia(db, [mediaId])).length > 0) throw held();
}

const held = (): MatrixError =>
  heldError("A legal hold keeps this from destruction.");

const MOST_DELETED = 10_000;

/** Deletes what nobody has had for so long; answers which. */
export async function deleteOldMedia(
  edges: Deletes,
  by: ActingAdministrator,
  search: Omit<OldMediaSearch, "limit">,
): Promise<string[]> {
  const ids = await listOldMedia(edges.db, { ...search, limit: MOST_DELETED });
  return deleteAll(edges, by, "media", ids);
}

/** Deletes a page of what a user has uploaded; answers which. */
export async function deleteMediaOf(
  edges: Deletes & Reads,
  by: ActingAdministrator,
  userId: string,
  query: MediaQuery,
): Promise<string[]> {
  const { media } = await searchMediaOf(edges, userId, query);
  const ids = media.map(({ mediaId }) => mediaId);
  return deleteAll(edges, by, userId, ids);
}

/**
 * Deletes those that no hold keeps; answers which.
 * @throws MatrixError M_FORBIDDEN where holds keep all of them
 */
async function deleteAll(
  edges: Deletes,
  by: ActingAdministrator,
  target: string,
  mediaIds: readonly string[],
): Promise<string[]> {
  const blobIds = await listBlobsOf(edges.db, mediaIds);
  const commit = committerOfParts(edges, by, target);
  const gone: string[] = [];
  for (const part of partsOf(mediaIds))
    gone.push(...(await deletePart(edges, commit, part)));
  if (gone.length === 0 && mediaIds.length > 0) throw held();
  await removeDroppedBlobs(edges, blobIds);
  return gone;
}

async function deletePart(
  { db }: Deletes,
  commit: CommitPart,
  mediaIds: readonly string[],
): Promise<readonly string[]> {
  for (;;) {
    const kept = new Set(await listHeldMedia(db, mediaIds));
    const free = mediaIds.filter((mediaId) => !kept.has(mediaId));
    if (free.length === 0 && kept.size > 0) return [];
    const { status } = await commit(
      { removedMedia: free.map((mediaId) => ({ mediaId })) },
      { media: free.length, ...(kept.size > 0 && { held: kept.size }) },
    );
    // Lost to a hold that came between: it is looked at again what may go.
    if (status === "committed") return free;
  }
}
