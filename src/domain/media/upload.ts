import { createHmac } from "node:crypto";
import { MatrixError } from "../../core/errors.ts";
import { parseType, UNKNOWN_TYPE } from "../../core/media-type.ts";
import type { Edges } from "../../edges.ts";
import {
  findEqualMedium,
  findMedium,
  storeMedium,
} from "../../storage/media.ts";
import { giveUpBlob, writeBlob } from "./blobs.ts";
import {
  type FileSecret,
  newFileSecret,
  openFileSecret,
  sealFileSecret,
} from "./file-secret.ts";
import { measure, type Measures, tooLarge } from "./measured.ts";
import { assertRoomFor, quotaExceeded } from "./quota.ts";

type Needs = Pick<
  Edges,
  "db" | "keyring" | "log" | "mediaStore" | "now" | "random" | "settings"
>;

/** A file on its way here. */
export interface Upload {
  /** As the client says. */
  contentType: string | undefined;
  fileName: string | undefined;
  length: number | undefined;
  content: AsyncIterable<Uint8Array>;
}

const MEDIA_ID_LETTERS = 24;

export const newMediaId = ({ random }: Pick<Edges, "random">): string =>
  random.letters(MEDIA_ID_LETTERS);

/** Stores a file for good and answers its media id. */
export async function uploadFile(
  edges: Needs,
  userId: string,
  upload: Upload,
): Promise<string> {
  const mediaId = newMediaId(edges);
  await store(edges, { mediaId, userId, isPending: false }, upload);
  return mediaId;
}

/** Stores a file under an id that was given out before, to the same user. */
export async function uploadTo(
  edges: Needs,
  userId: string,
  mediaId: string,
  upload: Upload,
): Promise<void> {
  const row = await findMedium(edges.db, mediaId, "");
  if (!row || (row.blobId === null && (row.expiresTs ?? 0) <= edges.now()))
    throw new MatrixError("M_NOT_FOUND", "There is no such id, or no more.");
  if (row.userId !== userId)
    throw new MatrixError("M_FORBIDDEN", "This id was given to another user.");
  if (row.blobId !== null) throw taken();
  await store(edges, { mediaId, userId, isPending: true }, upload);
}

const taken = (): MatrixError =>
  new MatrixError(
    "M_CANNOT_OVERWRITE_MEDIA",
    "Something was uploaded to this id already.",
  );

interface Target {
  mediaId: string;
  userId: string;
  isPending: boolean;
}

async function store(
  edges: Needs,
  target: Target,
  { contentType, fileName, length, content }: Upload,
): Promise<void> {
  const { userId } = target;
  const { maxUploadBytes } = edges.settings.media;
  if ((length ?? 0) > maxUploadBytes) throw tooLarge(maxUploadBytes);
  await assertRoomFor(edges, userId, length ?? 0);
  const secret = await newFileSecret(edges, userId);
  const hashKey = hashKeyOf(edges, userId);
  const passing = measure(content, maxUploadBytes, hashKey);
  const blobId = await writeBlob(edges, { userId, secret }, passing.content);
  try {
    const measures = passing.measures();
    const type = parseType(contentType) ?? measures.sniffedType;
    const isKept = await register(edges, target, {
      ...{ blobId, secret, measures, name: fileName ?? null },
      contentType: type ?? UNKNOWN_TYPE,
    });
    if (!isKept) await giveUpBlob(edges, blobId);
  } catch (error) {
    await giveUpBlob(edges, blobId);
    throw error;
  }
}

/** Keyed, so that nobody learns from the table who has a file that they know. */
const hashKeyOf = ({ settings }: Needs, userId: string): Buffer =>
  createHmac("sha256", settings.password.pepper)
    .update(`media\n${userId}`)
    .digest();

interface Written extends FileSecret {
  blobId: string;
  measures: Measures;
  contentType: string;
}

/** How often others may change what this builds on. */
const ATTEMPTS = 5;

/** Ties the medium to what was written, or to an equal file: then answers false. */
async function register(
  edges: Needs,
  { isPending, mediaId, userId }: Target,
  { blobId, contentType, measures, name, secret }: Written,
): Promise<boolean> {
  const { db, keyring, settings } = edges;
  const { legacyDownloads, userQuota } = settings.media;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const equal = await findEqual(edges, userId, measures.hash, secret);
    const shared = equal ?? { blobId: null, secret };
    const sealed = await sealFileSecret(
      edges,
      { mediaId, userId },
      { secret: shared.secret, name },
    );
    const verdict = await storeMedium(db, {
      ...{ mediaId, isPending, userId, blobId, contentType },
      ...measures,
      ...sealed,
      sharedId: shared.blobId,
      isLegacy: legacyDownloads === "on",
      quota: userQuota,
      now: edges.now(),
    });
    switch (verdict) {
      case "stored":
        return shared.blobId === null;
      case "taken":
        throw taken();
      case "quota":
        throw quotaExceeded(settings);
      case "expired":
        throw new Error("The bytes of an upload were given up.");
      case "key":
        keyring.forget([sealed.keyId]);
        break;
      case "unshared":
        break;
    }
  }
  throw new Error(
    "An upload could not be registered: others change it all the time.",
  );
}

/** A file of the same user, with the same content and sealed alike. */
async function findEqual(
  edges: Needs,
  userId: string,
  hash: Buffer,
  secret: Buffer | null,
): Promise<{ blobId: string; secret: Buffer | null } | undefined> {
  const row = await findEqualMedium(edges.db, userId, hash, secret !== null);
  if (!row) return undefined;
  const opened = await openFileSecret(edges, row);
  return opened && { blobId: row.blobId, secret: opened.secret };
}
