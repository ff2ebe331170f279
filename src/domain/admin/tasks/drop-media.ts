import type { JobClaim } from "../../../storage/admin-jobs.ts";
import { deleteMediaOfEvents } from "../../../storage/purge.ts";
import { removeDroppedBlobs } from "../../media/remove-blobs.ts";
import type { TaskEdges } from "./task.ts";

/** With their blobs and the thumbnails of those, never more than 500 rows. */
const AT_ONCE = 60;

/** Takes away the files that only these events name, which are about to go. */
export async function dropMediaOf(
  edges: TaskEdges,
  claim: JobClaim,
  nids: readonly number[],
): Promise<void> {
  for (;;) {
    const blobs = await deleteMediaOfEvents(edges.db, claim, nids, AT_ONCE);
    await removeDroppedBlobs(
      edges,
      blobs.flatMap((blobId) => blobId ?? []),
    );
    if (blobs.length < AT_ONCE) return;
  }
}
