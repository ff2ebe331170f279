import { MatrixError } from "../../core/errors.ts";
import {
  pickSize,
  type ThumbnailFailure,
  type ThumbnailMethod,
  type ThumbnailSize,
} from "../../core/thumbnail.ts";
import type { Edges } from "../../edges.ts";
import { storeThumbnail } from "../../storage/media.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { whileAllowed } from "../policies/while-allowed.ts";
import { giveUpBlob, readBlob, writeBlob } from "./blobs.ts";
import { findFile, type Wanted } from "./find-file.ts";
import type { FileNeeds, FoundFile } from "./found-file.ts";
import type { ServedFile } from "./served-file.ts";

type Needs = FileNeeds & Pick<Edges, "memory" | "random" | "thumbnailer">;

export interface WantedThumbnail extends Wanted, ThumbnailSize {
  method: ThumbnailMethod;
  isAnimated: boolean;
}

/** What is decoded at all, by a file's own first bytes. */
const DECODED = new Set([
  ...["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"],
]);
const CAN_MOVE = new Set(["image/webp", "image/gif"]);

/** What is sent to the decoder at most. */
const MAX_SOURCE_BYTES = 32 * 1024 * 1024;

interface Variant extends ThumbnailSize {
  method: ThumbnailMethod;
  isAnimated: boolean;
}

/** @throws MatrixError as a download does, and M_UNKNOWN, M_TOO_LARGE, M_LIMIT_EXCEEDED */
export async function getThumbnail(
  edges: Needs,
  wanted: WantedThumbnail,
): Promise<ServedFile> {
  const { method, isAnimated } = wanted;
  const variant = { ...pickSize(wanted), method, isAnimated };
  let file = await findFile(edges, wanted, nameOf(variant));
  if (isAnimated && !CAN_MOVE.has(file.row.sniffedType ?? "")) {
    const still = { ...wanted, isAnimated: false };
    return getThumbnail(edges, still);
  }
  if (file.row.thumbnailId === null) {
    await makeOnce(edges, file, variant);
    file = await findFile(edges, wanted, nameOf(variant));
  }
  const { secret } = file;
  const { mediaId } = file.row;
  const { thumbnailId, thumbnailSize, thumbnailType } = file.row;
  if (thumbnailId === null || thumbnailSize === null || thumbnailType === null)
    throw new MatrixError("M_NOT_FOUND", "There is no such file here.");
  const blob = { blobId: thumbnailId, size: thumbnailSize, secret };
  return {
    size: thumbnailSize,
    contentType: thumbnailType,
    isInline: true,
    fileName: `thumbnail.${thumbnailType.replace(/^.*\//, "")}`,
    tag: `${mediaId}-${nameOf(variant).replaceAll(" ", "-")}`,
    read: (start, end) =>
      whileAllowed(edges, mediaId, readBlob(edges, blob, start, end)),
  };
}

const nameOf = ({ height, isAnimated, method, width }: Variant): string =>
  `${width}x${height} ${method}${isAnimated ? " animated" : ""}`;

/** Those who want the same one wait for it together. */
const underWay = slot(() => new Map<string, Promise<void>>());
/** What cannot be decoded is not tried again soon. */
const hopeless = slot(
  () => new WeightedCache<string, Hopeless>(5_000, () => 1),
);
interface Hopeless {
  failure: ThumbnailFailure;
  until: number;
}
const HOPELESS_MS = 2 * 60 * 1000;

async function makeOnce(
  edges: Needs,
  file: FoundFile,
  variant: Variant,
): Promise<void> {
  const { sniffedType } = file.row;
  if (!DECODED.has(sniffedType ?? "")) throw fault("undecodable");
  if (file.size > MAX_SOURCE_BYTES) throw fault("too-large");
  const known = edges.memory.of(hopeless).get(file.blobId);
  if (known && known.until > edges.now()) throw fault(known.failure);
  const making = edges.memory.of(underWay);
  const key = `${file.blobId} ${nameOf(variant)}`;
  const begun =
    making.get(key) ??
    make(edges, file, variant).finally(() => making.delete(key));
  making.set(key, begun);
  await begun;
}

async function make(
  edges: Needs,
  file: FoundFile,
  variant: Variant,
): Promise<void> {
  const made = await edges.thumbnailer.make(
    { ...variant, maxPixels: edges.settings.media.maxImagePixels },
    file.size,
    readBlob(edges, file),
  );
  if ("failure" in made) {
    const { failure } = made;
    const until = edges.now() + HOPELESS_MS;
    if (failure !== "busy")
      edges.memory.of(hopeless).set(file.blobId, { failure, until });
    throw fault(failure);
  }
  const { bytes, contentType } = made;
  const origin = { blobId: file.blobId, variant: nameOf(variant) };
  const { secret } = file;
  const blobId = await writeBlob(
    edges,
    { userId: file.row.userId, secret, origin },
    once(bytes),
  );
  const row = { blobId, size: bytes.length, contentType };
  const isKept = await storeThumbnail(edges.db, row).catch(
    async (error: unknown) => {
      await giveUpBlob(edges, blobId);
      throw error;
    },
  );
  // Another process has made the same one, or the file is gone.
  if (!isKept) await giveUpBlob(edges, blobId);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediathumbnailservernamemediaid */
function fault(failure: ThumbnailFailure): MatrixError {
  switch (failure) {
    case "undecodable":
      return new MatrixError(
        "M_UNKNOWN",
        "No thumbnail can be made of this file.",
      );
    case "too-large":
      return new MatrixError(
        "M_TOO_LARGE",
        "This file is too large to make a thumbnail of it.",
      );
    case "busy":
      return new MatrixError(
        "M_LIMIT_EXCEEDED",
        "Too many thumbnails are being made. Try again shortly.",
        { retry_after_ms: 2_000 },
      );
  }
}
