import { createHash } from "node:crypto";

/** A file on its way to a scanner: its beginning, the rest, and what it was as a whole. */
export class ScannedContent {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #size: number;
  readonly #hash = createHash("sha256");
  #left: Uint8Array = new Uint8Array(0);
  #seen = 0;

  constructor(body: AsyncIterable<Uint8Array>, size: number) {
    this.#chunks = body[Symbol.asyncIterator]();
    this.#size = size;
  }

  /** The first `length` bytes, fewer where there are no more. */
  async begin(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const chunk = await this.#next();
      if (!chunk) break;
      parts.push(chunk.subarray(0, missing));
      this.#left = chunk.subarray(missing);
      missing -= parts.at(-1)!.length;
    }
    return Buffer.concat(parts);
  }

  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk = await this.#next(); chunk; chunk = await this.#next())
      yield chunk;
  }

  /** Whether it was read to its end. */
  get isWhole(): boolean {
    return this.#seen === this.#size && this.#left.length === 0;
  }

  /** Undefined where it was not read to its end; asked once. */
  digest(): Buffer | undefined {
    return this.isWhole ? this.#hash.digest() : undefined;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<Uint8Array | undefined> {
    const left = this.#left;
    this.#left = left.subarray(left.length);
    if (left.length > 0) return left;
    const { done, value } = await this.#chunks.next();
    if (done === true) {
      if (this.#seen !== this.#size)
        throw new TypeError("The file is not as long as it was.");
      return undefined;
    }
    this.#seen += value.length;
    this.#hash.update(value);
    return value;
  }
}
