import { deleteOldSlidingStates } from "../../storage/sliding-states.ts";
import type { Job } from "./job.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** A connection in use stores a state anew long before. */
const KEPT_MS = 30 * DAY_MS;
const AT_ONCE = 1000;

/** Connections of sliding sync expire: whoever comes back begins anew. */
export const forgetSlidingStates: Job = {
  name: "forget sliding states",
  restMs: 60 * 60 * 1000,
  async step({ db }, lease) {
    const count = await deleteOldSlidingStates(db, lease, KEPT_MS, AT_ONCE);
    return count === AT_ONCE;
  },
};
