import { deleteOldApprovals } from "../../storage/approvals.ts";
import type { Job } from "./job.ts";

const KEPT_MS = 400 * 24 * 60 * 60 * 1000;
const AT_ONCE = 100;

/** Somewhat over a year, as long as it is looked back at; the audit log keeps what was done. */
export const forgetApprovals: Job = {
  name: "forget approvals",
  restMs: 60 * 60 * 1000,
  async step({ db }) {
    return (await deleteOldApprovals(db, KEPT_MS, AT_ONCE)) === AT_ONCE;
  },
};
