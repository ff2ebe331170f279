import { listDeactivatedMembers } from "../../storage/users.ts";
import { leaveAllRooms, type LeaverEdges } from "../accounts/deactivate.ts";
import type { Job } from "./job.ts";

/**
 * Leaves the rooms of deactivated users where a crash or a database that was away came
 * between. A room that is left already stays as it is, so it needs no lease to be safe.
 */
export const finishDeactivations: Job<LeaverEdges> = {
  name: "finish deactivations",
  restMs: 10 * 60 * 1000,
  async step(edges) {
    for (const userId of await listDeactivatedMembers(edges.db))
      await leaveAllRooms(edges, userId);
    return false;
  },
};
