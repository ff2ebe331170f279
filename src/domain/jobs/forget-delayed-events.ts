import { deleteEndedEvents } from "../../storage/delayed-events.ts";
import type { Job } from "./job.ts";

const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
const AT_ONCE = 1000;

/** What became of a delayed event is told for a week. */
export const forgetDelayedEvents: Job = {
  name: "forget delayed events",
  restMs: 10 * 60 * 1000,
  async step({ db }, lease) {
    return (await deleteEndedEvents(db, lease, KEPT_MS, AT_ONCE)) === AT_ONCE;
  },
};
