import type {
  ThumbnailFailure,
  ThumbnailMethod,
  ThumbnailSize,
} from "../core/thumbnail.ts";

/** What kind of thumbnail is wanted. */
export interface ThumbnailWish extends ThumbnailSize {
  method: ThumbnailMethod;
  isAnimated: boolean;
  /** Of larger images none is made; all frames count. */
  maxPixels: number;
}

/** Goes before a file that the decoder is sent. */
export interface ThumbnailQuestion extends ThumbnailWish {
  bytes: number;
}

/** Goes before a thumbnail, or in place of one. */
export type ThumbnailAnswer =
  { contentType: string; bytes: number } | { failure: ThumbnailFailure };

/** A thumbnail has no more bytes: an animation that would is shown by its first frame. */
export const MOST_BYTES = 4 * 1024 * 1024;

interface Reader {
  read(length: number): Promise<Uint8Array | undefined>;
}

const CROP = 1;
const ANIMATED = 2;
const QUESTION_BYTES = 20;

export function encodeQuestion(question: ThumbnailQuestion): Buffer {
  const { bytes, height, isAnimated, maxPixels, method, width } = question;
  const flags = (method === "crop" ? CROP : 0) + (isAnimated ? ANIMATED : 0);
  const message = Buffer.alloc(QUESTION_BYTES);
  [width, height, maxPixels, bytes, flags].forEach((value, i) =>
    message.writeUInt32BE(value, 4 * i),
  );
  return message;
}

/** Undefined where nothing more comes. */
export async function readQuestion(
  reader: Reader,
): Promise<ThumbnailQuestion | undefined> {
  const message = await reader.read(QUESTION_BYTES);
  if (!message) return undefined;
  const valueAt = (i: number) => Buffer.from(message).readUInt32BE(4 * i);
  const flags = valueAt(4);
  return {
    width: valueAt(0),
    height: valueAt(1),
    maxPixels: valueAt(2),
    bytes: valueAt(3),
    method: flags & CROP ? "crop" : "scale",
    isAnimated: (flags & ANIMATED) !== 0,
  };
}

const TYPES = ["image/jpeg", "image/png", "image/webp"] as const;
const FAILURES = ["undecodable", "too-large"] as const;
const KINDS: readonly string[] = [...TYPES, ...FAILURES];
const ANSWER_BYTES = 5;

export function encodeAnswer(answer: ThumbnailAnswer): Buffer {
  const message = Buffer.alloc(ANSWER_BYTES);
  if ("failure" in answer) {
    message[0] = KINDS.indexOf(answer.failure);
  } else {
    message[0] = KINDS.indexOf(answer.contentType);
    message.writeUInt32BE(answer.bytes, 1);
  }
  return message;
}

/** Undefined for what is no answer: an image may have taken the decoder over. */
export async function readAnswer(
  reader: Reader,
): Promise<ThumbnailAnswer | undefined> {
  const message = await reader.read(ANSWER_BYTES);
  if (!message) return undefined;
  const kind = message[0]!;
  const contentType = TYPES[kind];
  const failure = FAILURES[kind - TYPES.length];
  if (failure) return { failure };
  const bytes = Buffer.from(message).readUInt32BE(1);
  return contentType && bytes <= MOST_BYTES
    ? { contentType, bytes }
    : undefined;
}
