import { listUnfinishedDeactivations } from "../../storage/users.ts";
import {
  finishDeactivation,
  type LeaverEdges,
} from "../accounts/deactivate.ts";
import type { Job } from "./job.ts";

/**
 * Leaves the rooms of deactivated users, and deletes their backups, where a crash or a
 * database that was away came between. What is done already stays as it is, so it needs
 * no lease to be safe.
 */
export const finishDeactivations: Job<LeaverEdges> = {
  name: "finish deactivations",
  restMs: 10 * 60 * 1000,
  async step(edges) {
    for (const userId of await listUnfinishedDeactivations(edges.db))
      await finishDeactivation(edges, userId);
    return false;
  },
};
