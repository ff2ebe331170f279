import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";

/** Records that an administrator reads what others wrote; without a record nothing is shown. */
export async function recordRead(
  { committer, now }: Pick<Edges, "committer" | "now">,
  by: ActingAdministrator,
  target: string,
  details?: JsonObject,
): Promise<void> {
  await committer.commit({
    positions: 1,
    audit: [recordOf(by, target, now(), details)],
  });
}
