import { setTimeout as wait } from "node:timers/promises";
import { MatrixError } from "../../core/errors.ts";
import {
  findMedium,
  type MediumRow,
  setLastAccess,
} from "../../storage/media.ts";
import { areUnlimited } from "../policies/enforce.ts";
import { assertMayDownload } from "../policies/may-download.ts";
import { openFileSecret } from "./file-secret.ts";
import type { FileNeeds, FoundFile } from "./found-file.ts";
import { assertScanned } from "./scan.ts";

export interface Wanted {
  serverName: string;
  mediaId: string;
  /** How long a file is waited for that is still to come. */
  timeoutMs: number;
  /** Asked for without authentication. */
  isLegacy: boolean;
  /** Aborts when nobody waits any more. */
  signal(): AbortSignal;
}

/** Another process may be the one that it is uploaded to. */
const POLL_MS = 250;
const LONGEST_MS = 60_000;

/** @throws MatrixError M_NOT_FOUND, M_NOT_YET_UPLOADED, M_FORBIDDEN */
export async function findFile(
  edges: FileNeeds,
  wanted: Wanted,
  variant = "",
): Promise<FoundFile> {
  if (wanted.serverName !== edges.settings.serverName) throw notFound();
  const row = await waitFor(edges, wanted, variant);
  if (!areUnlimited(edges)) await assertMayDownload(edges, row.mediaId);
  const { blobId, sealed, size } = row;
  if (blobId === null || sealed === null || size === null) throw notFound();
  const opened = await openFileSecret(edges, { ...row, sealed });
  if (!opened) throw notFound();
  const found = { row, blobId, size, ...opened };
  await assertScanned(edges, found);
  await noteAccess(edges, row);
  return found;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** To a day, so that what is had often is written seldom. */
async function noteAccess(
  { db, now }: FileNeeds,
  { createdTs, lastAccessTs, mediaId }: MediumRow,
): Promise<void> {
  const nowTs = now();
  if (nowTs - (lastAccessTs ?? createdTs) > DAY_MS)
    await setLastAccess(db, mediaId, nowTs);
}

/** The medium, once something was uploaded to it. */
async function waitFor(
  { db, now, settings }: FileNeeds,
  { isLegacy, mediaId, signal, timeoutMs }: Wanted,
  variant: string,
): Promise<MediumRow> {
  const isOpen = settings.media.legacyDownloads !== "off";
  if (isLegacy && !isOpen) throw notFound();
  const deadline = performance.now() + Math.min(timeoutMs, LONGEST_MS);
  for (;;) {
    const row = await findMedium(db, mediaId, variant);
    // "servers MUST return a 404 M_NOT_FOUND for frozen media".
    if (!row || (isLegacy && !row.isLegacy)) throw notFound();
    if (row.isQuarantined) throw notFound();
    if (row.blobId !== null) return row;
    if ((row.expiresTs ?? 0) <= now()) throw notFound();
    const left = deadline - performance.now();
    if (left <= 0) {
      throw new MatrixError(
        "M_NOT_YET_UPLOADED",
        "Nothing was uploaded to this id yet.",
      );
    }
    await wait(Math.min(POLL_MS, left), undefined, { signal: signal() });
  }
}

const notFound = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such file here.");
