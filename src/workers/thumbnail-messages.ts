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

const LENGTH_BYTES = 4;

/** Both ways: the length of a JSON text, the text, and as many bytes as it says. */
export function encodeMessage(
  message: ThumbnailQuestion | ThumbnailAnswer,
): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(LENGTH_BYTES);
  head.writeUInt32BE(text.length);
  return Buffer.concat([head, text]);
}

interface Reader {
  read(length: number): Promise<Uint8Array | undefined>;
}

/** Undefined where nothing more comes. */
export async function readMessage(reader: Reader): Promise<unknown> {
  const head = await reader.read(LENGTH_BYTES);
  if (!head) return undefined;
  const text = await reader.read(Buffer.from(head).readUInt32BE());
  return text && (JSON.parse(Buffer.from(text).toString()) as unknown);
}
