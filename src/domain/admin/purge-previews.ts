import type { Edges } from "../../edges.ts";
import { listUrlPreviewsBefore } from "../../storage/url-previews.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";

const AT_ONCE = 500;
const MOST_ROUNDS = 200;

/**
 * Deletes what is kept of other servers and was fetched before a time, which is what their
 * pages said; answers how much. It is fetched anew when somebody asks.
 */
export async function purgePreviews(
  { committer, db, now }: Pick<Edges, "committer" | "db" | "now">,
  by: ActingAdministrator,
  beforeTs: number,
): Promise<number> {
  const record = recordOf(by, "media cache", now(), { before_ts: beforeTs });
  let deleted = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const previews = await listUrlPreviewsBefore(db, beforeTs, AT_ONCE);
    if (previews.length === 0 && round > 0) break;
    await committer.commit({
      positions: 0,
      rows: { removedUrlPreviews: previews },
      // The record of all goes with the first.
      audit: round === 0 ? [record] : [],
    });
    deleted += previews.length;
    if (previews.length < AT_ONCE) break;
  }
  return deleted;
}
