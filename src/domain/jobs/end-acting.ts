import type { Edges } from "../../edges.ts";
import { listSpentActing } from "../../storage/acting.ts";
import { removeDevices } from "../accounts/close-session.ts";
import type { Job } from "./job.ts";

const AT_ONCE = 100;

/** Takes away the devices by which administrators acted as somebody else, when their time is over. */
export const endActing: Job<Pick<Edges, "committer" | "db" | "notifier">> = {
  name: "end acting",
  restMs: 5 * 60 * 1000,
  async step(edges) {
    const spent = await listSpentActing(edges.db, AT_ONCE);
    await Promise.all(
      spent.map(({ userId, deviceId }) =>
        removeDevices(edges, userId, [deviceId]),
      ),
    );
    return spent.length === AT_ONCE;
  },
};
