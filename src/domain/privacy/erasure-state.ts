import type { Edges } from "../../edges.ts";
import { findErasureJob, type AdminJobRow } from "../../storage/admin-jobs.ts";
import { findErasureCertificate } from "../../storage/erasure-certificates.ts";
import { findErasure } from "../../storage/erasures.ts";

export interface ErasureState {
  state: "none" | "waiting" | "active" | "failed" | "done";
  /** When it can no longer be taken back. */
  dueTs?: number;
  job?: AdminJobRow;
}

const STATES = {
  ...({ scheduled: "active", active: "active", complete: "done" } as const),
  ...({ failed: "failed", cancelled: "failed" } as const),
};

/** How far the erasure of a user has come. */
export async function readErasure(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<ErasureState> {
  const [{ dueTs }, job, certificate] = await Promise.all([
    findErasure(db, userId),
    findErasureJob(db, userId),
    findErasureCertificate(db, userId),
  ]);
  if (dueTs !== null) return { state: "waiting", dueTs };
  if (job) return { state: STATES[job.state], job };
  return { state: certificate ? "done" : "none" };
}
