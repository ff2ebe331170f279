import { EgressError } from "./egress-error.ts";

const LF = 0x0a;

/** Reads lines and bytes off a connection, and no more of either than is asked for. */
export class WireReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next line, without the CRLF that must end it. */
  async readLine(most: number): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(LF);
      if (end > most + 1 || (end === -1 && this.#rest.length > most + 1))
        throw new EgressError("large");
      if (end !== -1) {
        const line = this.#take(end + 1).toString("latin1");
        if (line.endsWith("\r\n")) return line.slice(0, -2);
        throw new EgressError("unreadable");
      }
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    }
  }

  /** What comes next, from one byte to `most` of them. */
  async readSome(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = await this.#next();
    return this.#take(Math.min(most, this.#rest.length));
  }

  async readAll(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; left -= parts.at(-1)!.length)
      parts.push(await this.readSome(left));
    return Buffer.concat(parts);
  }

  async #next(): Promise<Buffer> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done === true) throw new EgressError("unreadable");
      if (value.length > 0) return Buffer.from(value);
    }
  }

  #take(length: number): Buffer {
    const part = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return part;
  }
}
