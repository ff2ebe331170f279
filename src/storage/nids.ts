import type { Sql } from "./database.ts";

/** A source of numbers for rooms, events, snapshots and keys; their order means nothing. */
export interface NidSource {
  /** That many numbers never given out before; normally at once. */
  take(count: number): Promise<number[]> | number[];
}

/** How many numbers one value of the sequence stands for. */
const BLOCK = 1000;

/** Numbers from the database's sequence, a block or more in hand. */
export function createNidSource(sql: Sql): NidSource {
  const blocks: { next: number; end: number }[] = [];
  let available = 0;
  let fetching: Promise<void> | undefined;

  async function fetchBlocks(count: number): Promise<void> {
    const rows = await sql<{ first: number }[]>`
      select nextval('nids') as first from generate_series(1, ${count}::int)`;
    for (const { first } of rows) {
      blocks.push({ next: first, end: first + BLOCK });
      available += BLOCK;
    }
  }

  function refill(count: number): Promise<void> {
    fetching ??= fetchBlocks(count).finally(() => {
      fetching = undefined;
    });
    return fetching;
  }

  function takeNow(count: number): number[] {
    const taken: number[] = [];
    while (taken.length < count) {
      const block = blocks[0]!;
      taken.push(block.next++);
      if (block.next === block.end) blocks.shift();
    }
    available -= count;
    // A failure shows when the numbers are needed and fetched again.
    if (available < BLOCK) refill(2).catch(() => undefined);
    return taken;
  }

  async function takeLater(count: number): Promise<number[]> {
    while (available < count) {
      await refill(Math.ceil((count - available) / BLOCK) + 1);
    }
    return takeNow(count);
  }

  return {
    take: (count) => (available >= count ? takeNow(count) : takeLater(count)),
  };
}
