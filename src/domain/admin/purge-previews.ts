import type { Edges } from "../../edges.ts";
import { listUrlPreviewsBefore } from "../../storage/url-previews.ts";
import type { ActingAdministrator } from "./administrator.ts";
import { committerOfParts } from "./commit-parts.ts";

const AT_ONCE = 250;
const MOST_ROUNDS = 400;
/** Letters of a page's keyed hash, by which it is told from others. */
const ID_LETTERS = 16;

/**
 * Deletes what is kept of other servers and was fetched before a time, which is what their
 * pages said; answers how much. It is fetched anew when somebody asks. Each part has its
 * own record of how much it was and of which pages.
 */
export async function purgePreviews(
  edges: Pick<Edges, "committer" | "db" | "now" | "trail">,
  by: ActingAdministrator,
  beforeTs: number,
): Promise<number> {
  const commit = committerOfParts(edges, by, "media cache");
  let deleted = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const previews = await listUrlPreviewsBefore(edges.db, beforeTs, AT_ONCE);
    if (previews.length === 0 && round > 0) break;
    const pages = previews.map(({ urlHash }) =>
      Buffer.from(urlHash).toString("hex").slice(0, ID_LETTERS),
    );
    await commit(
      { removedUrlPreviews: previews },
      {
        ...{ before_ts: beforeTs, previews: previews.length, pages },
        ...(previews.length > 0 && {
          fetched_from_ts: previews[0]!.fetchedTs,
          fetched_to_ts: previews.at(-1)!.fetchedTs,
        }),
      },
    );
    deleted += previews.length;
    if (previews.length < AT_ONCE) break;
  }
  return deleted;
}
