import { deleteOldAnswers } from "../../storage/idempotency.ts";
import type { Job } from "./job.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Seven days for clients that come back, and one for clocks that differ. */
const KEPT_MS = 8 * DAY_MS;
const AT_ONCE = 1000;

/** A transaction id is known for a week at least; after that nobody sends it again. */
export const forgetTransactions: Job = {
  name: "forget transactions",
  restMs: 10 * 60 * 1000,
  async step({ db }, lease) {
    return (await deleteOldAnswers(db, lease, KEPT_MS, AT_ONCE)) === AT_ONCE;
  },
};
