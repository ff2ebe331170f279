import { deleteOldUrlPreviews } from "../../storage/url-previews.ts";
import type { Job } from "./job.ts";

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
const AT_ONCE = 1000;
/** Of some kilobytes each. */
const MOST = 100_000;

/** What pages said is told for a week, to whoever scrolls back to their links. */
export const forgetUrlPreviews: Job = {
  name: "forget URL previews",
  restMs: 10 * 60 * 1000,
  async step({ db }, lease) {
    const bounds = { ageMs: WEEK_MS, most: MOST, limit: AT_ONCE };
    return (await deleteOldUrlPreviews(db, lease, bounds)) === AT_ONCE;
  },
};
