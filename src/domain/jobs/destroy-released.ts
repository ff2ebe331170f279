import { destroyReleased } from "../../storage/holds.ts";
import type { Job } from "./job.ts";

const AT_ONCE = 250;

/** What was redacted while a hold was of it goes for good when none is any more. */
export const destroyReleasedContents: Job = {
  name: "destroy what holds released",
  restMs: 60 * 1000,
  async step({ db }, lease) {
    return (await destroyReleased(db, lease, AT_ONCE)) >= AT_ONCE;
  },
};
