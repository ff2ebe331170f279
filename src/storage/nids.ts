/** A source of numbers for rooms, events, snapshots and keys; their order means nothing. */
export interface NidSource {
  /** That many numbers never given out before; normally at once. */
  take(count: number): Promise<number[]> | number[];
}
