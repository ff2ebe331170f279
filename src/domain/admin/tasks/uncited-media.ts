import type { JobClaim } from "../../../storage/admin-jobs.ts";
import { deleteUncitedMedia } from "../../../storage/purge.ts";
import { removeDroppedBlobs } from "../../media/remove-blobs.ts";
import type { TaskEdges } from "./task.ts";

/** Takes away the files that nothing names any more, now that events are gone that did. */
export async function dropUncitedMedia(
  edges: TaskEdges,
  claim: JobClaim,
  mediaIds: readonly string[],
): Promise<void> {
  const blobIds = await deleteUncitedMedia(edges.db, claim, mediaIds);
  await removeDroppedBlobs(edges, blobIds);
}
