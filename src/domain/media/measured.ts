import { createHmac } from "node:crypto";
import { MatrixError } from "../../core/errors.ts";
import { SNIFFED_BYTES, sniffType } from "../../core/media-type.ts";

/** What passing bytes turned out to be. */
export interface Measures {
  size: number;
  hash: Buffer;
  sniffedType: string | null;
}

export interface Measured {
  content: AsyncIterable<Uint8Array>;
  /** When all of it has passed. */
  measures(): Measures;
}

export const tooLarge = (maxBytes: number): MatrixError =>
  new MatrixError("M_TOO_LARGE", `A file has at most ${maxBytes} bytes.`);

/**
 * Watches a file pass: its size, which may not go over the limit, its hash and
 * its first bytes.
 * @param hashKey of its uploader: nobody else's equal file has the same hash
 */
export function measure(
  content: AsyncIterable<Uint8Array>,
  maxBytes: number,
  hashKey: Buffer,
): Measured {
  const hash = createHmac("sha256", hashKey);
  const head: Uint8Array[] = [];
  let size = 0;
  async function* watch(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      if (size < SNIFFED_BYTES)
        head.push(Buffer.from(chunk.subarray(0, SNIFFED_BYTES)));
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      yield chunk;
    }
  }
  return {
    content: watch(),
    measures: () => ({
      size,
      hash: hash.digest(),
      sniffedType: sniffType(Buffer.concat(head)),
    }),
  };
}
