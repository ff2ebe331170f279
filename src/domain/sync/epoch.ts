import type { Edges } from "../../edges.ts";
import { readEpoch } from "../../storage/epoch.ts";
import { slot } from "../../util/process-memory.ts";

interface Known {
  epoch: number | undefined;
  /** How often the database was away. */
  gaps: number;
}

const known = slot((): Known => ({ epoch: undefined, gaps: 0 }));

/** Forgets the epoch whenever the database was away: a restore may be why. */
export function followEpoch({
  memory,
  notifier,
}: Pick<Edges, "memory" | "notifier">): void {
  notifier.onGap(() => {
    const remembered = memory.of(known);
    remembered.epoch = undefined;
    remembered.gaps += 1;
  });
}

/** The stream's epoch, from the database once for each connection to it. */
export async function readEpochOnce(
  edges: Pick<Edges, "db" | "memory">,
): Promise<number> {
  const remembered = edges.memory.of(known);
  if (remembered.epoch !== undefined) return remembered.epoch;
  const { gaps } = remembered;
  const epoch = await readEpoch(edges.db);
  if (remembered.gaps === gaps) remembered.epoch = epoch;
  return epoch;
}
