import { createCipheriv, createDecipheriv } from "node:crypto";
import { BlobDamaged } from "../util/blob-store.ts";
import { ByteReader } from "../util/byte-reader.ts";
import { deriveKey } from "./hkdf.ts";

const FRAME_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const SEALED_BYTES = FRAME_BYTES + TAG_BYTES;
const ALGORITHM = "aes-256-gcm";

/** The key of one blob under a file's secret. Nothing else is ever sealed under it. */
export const blobKeyOf = (secret: Uint8Array, blobId: string): Buffer =>
  deriveKey(secret, `myelin media ${blobId}`);

/**
 * A frame's place and whether it is the last one are its nonce: a frame that was
 * moved, left out, or that became the end, opens no more.
 */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(number);
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}

/** Seals a file in frames of 64 KiB, each with its own tag; the last one may be shorter. */
export async function* sealFrames(
  key: Uint8Array,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const frame = Buffer.allocUnsafe(FRAME_BYTES);
  let filled = 0;
  let number = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      // Whether a frame is the last one is known when more has come.
      if (filled === FRAME_BYTES) {
        yield* seal(key, frame, number++, false);
        filled = 0;
      }
      const part = chunk.subarray(at, at + FRAME_BYTES - filled);
      frame.set(part, filled);
      filled += part.length;
      at += part.length;
    }
  }
  yield* seal(key, frame.subarray(0, filled), number, true);
}

function seal(
  key: Uint8Array,
  frame: Uint8Array,
  number: number,
  isLast: boolean,
): Buffer[] {
  const cipher = createCipheriv(ALGORITHM, key, nonceOf(number, isLast));
  const body = cipher.update(frame);
  cipher.final();
  return [body, cipher.getAuthTag()];
}

/** Where in a sealed blob the frames stand that hold a part of its file. */
export interface SealedPart {
  /** The number of the first frame. */
  first: number;
  start: number;
  length: number;
}

/** @param end the first byte after the part */
export function sealedPart(
  size: number,
  start: number,
  end: number,
): SealedPart {
  const first = Math.floor(start / FRAME_BYTES);
  const after = Math.max(first + 1, Math.ceil(end / FRAME_BYTES));
  const last = lastFrameOf(size);
  const stop = after > last ? sealedSize(size) : after * SEALED_BYTES;
  return {
    first,
    start: first * SEALED_BYTES,
    length: stop - first * SEALED_BYTES,
  };
}

const lastFrameOf = (size: number): number =>
  Math.max(0, Math.ceil(size / FRAME_BYTES) - 1);

const sealedSize = (size: number): number =>
  size + (lastFrameOf(size) + 1) * TAG_BYTES;

/**
 * Opens a part of a file of this size.
 * @param sealed the bytes at its `sealedPart`
 */
export async function* openFrames(
  key: Uint8Array,
  { size, start, end }: { size: number; start: number; end: number },
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { first } = sealedPart(size, start, end);
  const last = lastFrameOf(size);
  const reader = new ByteReader(sealed);
  try {
    let at = first * FRAME_BYTES;
    for (let number = first; number === first || at < end; number += 1) {
      const isLast = number === last;
      const length = isLast ? size - last * FRAME_BYTES : FRAME_BYTES;
      const frame = await reader.read(length + TAG_BYTES);
      if (!frame) throw new BlobDamaged("A sealed file ends too early.");
      const opened = open(key, frame, number, isLast);
      const from = Math.max(0, start - at);
      const to = Math.min(opened.length, end - at);
      if (to > from) yield opened.subarray(from, to);
      at += length;
    }
  } finally {
    await reader.close();
  }
}

function open(
  key: Uint8Array,
  frame: Uint8Array,
  number: number,
  isLast: boolean,
): Buffer {
  const nonce = nonceOf(number, isLast);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, {
    authTagLength: TAG_BYTES,
  });
  const end = frame.length - TAG_BYTES;
  decipher.setAuthTag(frame.subarray(end));
  const opened = decipher.update(frame.subarray(0, end));
  try {
    decipher.final();
  } catch (cause) {
    throw new BlobDamaged("A frame of a sealed file is not genuine.", {
      cause,
    });
  }
  return opened;
}
