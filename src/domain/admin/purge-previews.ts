import type { Edges } from "../../edges.ts";
import { deleteUrlPreviewsBefore } from "../../storage/url-previews.ts";
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
  const audit = [recordOf(by, "media cache", now(), { before_ts: beforeTs })];
  await committer.commit({ positions: 1, audit });
  let deleted = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const count = await deleteUrlPreviewsBefore(db, beforeTs, AT_ONCE);
    deleted += count;
    if (count < AT_ONCE) break;
  }
  return deleted;
}
