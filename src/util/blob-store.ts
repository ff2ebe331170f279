/** A place for bytes by name: written once, whole or not at all. */
export interface BlobStore {
  /** What it holds when this resolves is there after a crash, and was not to be seen before. */
  put(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** So many bytes from there on; fails where there are fewer. */
  read(name: string, start: number, length: number): AsyncIterable<Uint8Array>;
  /** Also what a crash left of one that was not finished; one that is not there is none. */
  remove(name: string): Promise<void>;
}

/** A blob is missing, or shorter than it was. */
export class BlobDamaged extends Error {
  override name = "BlobDamaged";
}
