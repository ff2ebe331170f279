/** All bytes of a stream. */
export async function collect(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Bytes in chunks of this length. */
export async function* inChunks(
  bytes: Uint8Array,
  length: number,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length)
    yield bytes.subarray(at, at + length);
}

/** What a promise is rejected with. */
export const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
