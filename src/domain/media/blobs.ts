import type { Edges } from "../../edges.ts";
import {
  blobKeyOf,
  openFrames,
  sealedPart,
  sealFrames,
} from "../../storage/media-frames.ts";
import {
  dropBlob,
  forgetBlob,
  keepReservation,
  reserveBlob,
} from "../../storage/media.ts";

type Needs = Pick<Edges, "db" | "log" | "mediaStore">;

/** Where the bytes of a file or of a thumbnail stand. */
export interface StoredBlob {
  blobId: string;
  size: number;
  /** Of its file; null where it is not sealed. */
  secret: Buffer | null;
}

export interface NewBlob {
  userId: string;
  secret: Buffer | null;
  /** Of a thumbnail: whose, and which one. */
  origin?: { blobId: string; variant: string };
}

/**
 * Writes bytes to the store, under a name that nobody can guess. They belong to
 * nobody until a row says otherwise: `giveUpBlob` takes them away.
 */
export async function writeBlob(
  edges: Needs & Pick<Edges, "random">,
  { userId, secret, origin }: NewBlob,
  content: AsyncIterable<Uint8Array>,
): Promise<string> {
  const blobId = edges.random.bytes(20).toString("hex");
  await reserveBlob(edges.db, {
    blobId,
    userId,
    isSealed: secret !== null,
    originBlobId: origin?.blobId ?? null,
    variant: origin?.variant ?? null,
  });
  const kept = keepAlive(edges, blobId, content);
  const bytes = secret ? sealFrames(blobKeyOf(secret, blobId), kept) : kept;
  try {
    await edges.mediaStore.put(blobId, bytes);
  } catch (error) {
    await giveUpBlob(edges, blobId);
    throw error;
  }
  return blobId;
}

const KEEP_MS = 10 * 60 * 1000;

/** A slow upload is not one whose process died. */
async function* keepAlive(
  { db }: Needs,
  blobId: string,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let told = performance.now();
  for await (const chunk of content) {
    yield chunk;
    if (performance.now() - told < KEEP_MS) continue;
    told = performance.now();
    await keepReservation(db, blobId);
  }
}

/** Takes away what is not stored; what cannot go now, a job takes later. */
export async function giveUpBlob(
  { db, log, mediaStore }: Needs,
  blobId: string,
): Promise<void> {
  try {
    if (!(await dropBlob(db, blobId))) return;
    await mediaStore.remove(blobId);
    await forgetBlob(db, blobId);
  } catch (error) {
    log.warn({ err: error }, "Bytes of a file that is not kept go later.");
  }
}

/** @param end the first byte after the part */
export function readBlob(
  { mediaStore }: Pick<Edges, "mediaStore">,
  { blobId, secret, size }: StoredBlob,
  start = 0,
  end = size,
): AsyncIterable<Uint8Array> {
  if (!secret) return mediaStore.read(blobId, start, end - start);
  const part = sealedPart(size, start, end);
  const sealed = mediaStore.read(blobId, part.start, part.length);
  return openFrames(blobKeyOf(secret, blobId), { size, start, end }, sealed);
}
