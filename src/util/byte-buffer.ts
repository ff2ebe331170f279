/** Writes numbers as varints, and texts with their lengths before them. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  number(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    this.number(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
  }

  /** Numbers in any order, as the differences between them. */
  set(values: readonly number[]): void {
    this.number(values.length);
    let last = 0;
    for (const value of [...values].sort((a, b) => a - b)) {
      this.number(value - last);
      last = value;
    }
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads what `ByteWriter` wrote; throws a `RangeError` past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError("The bytes end too early.");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  text(): string {
    const end = this.number() + this.#at;
    if (end > this.#bytes.length)
      throw new RangeError("The bytes end too early.");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return Buffer.from(bytes).toString();
  }

  set(): number[] {
    let last = 0;
    return Array.from({ length: this.number() }, () => (last += this.number()));
  }
}
