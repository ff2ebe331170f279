import { Readable } from "node:stream";

const BUFFERED_BYTES = 256 * 1024;

/**
 * Sends bytes as fast as the client takes them. The first ones are waited for: what
 * cannot be read at all is still an error with a status.
 */
export async function streamBytes(
  bytes: AsyncIterable<Uint8Array>,
  onFault: (error: unknown) => void,
): Promise<Readable> {
  const chunks = bytes[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | undefined = await chunks.next();
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const held = first;
    first = undefined;
    if (held) return held;
    try {
      return await chunks.next();
    } catch (error) {
      onFault(error);
      throw error;
    }
  };
  // No generator: one that was never asked would not let go of what it holds.
  const iterator: AsyncIterator<Uint8Array> = {
    next,
    async return() {
      await chunks.return?.();
      return { done: true, value: undefined };
    },
  };
  return Readable.from(
    { [Symbol.asyncIterator]: () => iterator },
    { objectMode: false, highWaterMark: BUFFERED_BYTES },
  );
}
