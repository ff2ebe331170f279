import type { Edges } from "../../edges.ts";
import { readEpoch } from "../../storage/epoch.ts";
import { slot } from "../../util/process-memory.ts";

interface Known {
  epoch: number | undefined;
}

const known = slot((): Known => ({ epoch: undefined }));

/** Forgets the epoch whenever the database was away: a restore may be why. */
export function followEpoch({
  memory,
  notifier,
}: Pick<Edges, "memory" | "notifier">): void {
  notifier.onGap(() => {
    memory.of(known).epoch = undefined;
  });
}

/** The stream's epoch, from the database once for each connection to it. */
export async function readEpochOnce({
  db,
  memory,
}: Pick<Edges, "db" | "memory">): Promise<number> {
  const remembered = memory.of(known);
  return (remembered.epoch ??= await readEpoch(db));
}
