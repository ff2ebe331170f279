import type { Edges } from "../../../edges.ts";
import { readRetentionClock } from "../../../storage/retention-due.ts";
import {
  listLastRuns,
  listRetentionStatus,
  type LastRunRow,
  type RetentionStatusRow,
} from "../../../storage/retention-runs.ts";

/** How each policy in force gets on, by one clock. */
export async function readRetentionStatus({
  db,
  now,
}: Pick<Edges, "db" | "now">): Promise<{
  clock: number;
  policies: (RetentionStatusRow & { lastRun: LastRunRow | undefined })[];
}> {
  const clock = await readRetentionClock(db, now());
  const [rows, runs] = await Promise.all([
    listRetentionStatus(db, clock),
    listLastRuns(db),
  ]);
  const byPolicy = new Map(runs.map((run) => [run.policyId, run]));
  return {
    clock,
    policies: rows.map((row) => ({
      ...row,
      lastRun: byPolicy.get(row.policyId),
    })),
  };
}
