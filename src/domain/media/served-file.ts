/** A file, or a thumbnail of one, for whoever asked for it. */
export interface ServedFile {
  size: number;
  contentType: string;
  /** Shown in its place, rather than saved. */
  isInline: boolean;
  fileName: string | null;
  /** Another one stands for other bytes; these never change. */
  tag: string;
  /** @param end the first byte after the part */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}
