import { createHmac } from "node:crypto";
import { parseMxc } from "../../core/mxc.ts";
import type { Edges } from "../../edges.ts";
import {
  listUrlPreviews,
  storeUrlPreview,
} from "../../storage/url-previews.ts";
import type { Preview } from "./fetch-preview.ts";

/** What came of fetching a page; undefined where it could not be had. */
export interface KeptPreview {
  preview: Preview | undefined;
}

/** Pages change, and what could not be read once may be read soon. */
const HOLDS_MS = 60 * 60 * 1000;
const FAILURE_HOLDS_MS = 60 * 1000;

const MOST_TRIED = 3;

type Needs = Pick<Edges, "db" | "keyring" | "now">;

/** Keyed: whoever reads the table must not find who talked of which page. */
export const hashUrl = (pepper: Buffer, { href }: URL): Buffer =>
  createHmac("sha256", pepper).update(`url preview\n${href}`).digest();

const contextOf = (urlHash: Buffer, fetchedTs: number): string =>
  `url_previews.sealed ${urlHash.toString("hex")} ${fetchedTs}`;

/** What was fetched for this time, or soonest after it. */
export async function findKept(
  { db, keyring, now }: Needs,
  urlHash: Buffer,
  ts: number,
): Promise<KeptPreview | undefined> {
  const rows = await listUrlPreviews(db, urlHash, ts, now(), MOST_TRIED);
  const texts = await keyring.openAll(
    rows.map((row) => ({
      context: contextOf(urlHash, row.fetchedTs),
      ...row,
    })),
  );
  // Of a user who was erased nothing can be opened: the next one tells it too.
  const found = rows.findIndex((_, n) => texts[n] !== undefined);
  if (found === -1) return undefined;
  if (rows[found]!.isFailure) return { preview: undefined };
  return { preview: JSON.parse(texts[found]!) as Preview };
}

/** Keeps it for all who ask, under a key of who asked first, as that user's files are. */
export async function keep(
  { db, keyring, now }: Needs,
  userId: string,
  urlHash: Buffer,
  { preview }: KeptPreview,
): Promise<void> {
  const fetchedTs = now();
  const isFailure = preview === undefined;
  const sealed = await keyring.sealFileOf(
    userId,
    fetchedTs,
    contextOf(urlHash, fetchedTs),
    JSON.stringify(preview ?? {}),
  );
  const mediaId = parseMxc(preview?.["og:image"])?.mediaId ?? null;
  const expiresTs = fetchedTs + (isFailure ? FAILURE_HOLDS_MS : HOLDS_MS);
  await storeUrlPreview(db, urlHash, {
    ...{ fetchedTs, expiresTs, isFailure, mediaId },
    ...sealed,
  });
}
