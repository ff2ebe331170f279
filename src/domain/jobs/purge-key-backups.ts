import { purgeKeyBackups as purge } from "../../storage/key-backups.ts";
import type { Job } from "./job.ts";

const AT_ONCE = 5000;

/** Deletes the keys of deleted backups, which may be a million. */
export const purgeKeyBackups: Job = {
  name: "purge key backups",
  restMs: 60 * 1000,
  async step({ db }, lease) {
    return (await purge(db, lease, AT_ONCE)) === AT_ONCE;
  },
};
