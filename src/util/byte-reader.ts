/** Reads a stream of chunks in pieces of wanted lengths. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, or undefined where the stream ends before. */
  async read(length: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length >= length) return this.#take(length);
    const whole = new Uint8Array(length);
    let filled = 0;
    for (;;) {
      const part = this.#take(Math.min(this.#rest.length, length - filled));
      whole.set(part, filled);
      filled += part.length;
      if (filled === length) return whole;
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#rest = value;
      if (filled === 0 && value.length >= length) return this.#take(length);
    }
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #take(length: number): Uint8Array {
    const part = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return part;
  }
}
