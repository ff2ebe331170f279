import type { Edges } from "../../edges.ts";
import { forgetBlob, listDroppedBlobs } from "../../storage/media.ts";

type Needs = Pick<Edges, "db" | "log" | "mediaStore">;

const AT_ONCE = 16;

/**
 * Takes the bytes away that belonged to media which were deleted just now, and those of
 * their thumbnails, unless other media share them. What cannot go now, a job takes later.
 */
export async function removeDroppedBlobs(
  { db, log, mediaStore }: Needs,
  blobIds: readonly string[],
): Promise<void> {
  const dropped = await listDroppedBlobs(db, blobIds);
  const removeOne = async (): Promise<void> => {
    for (let blobId = dropped.pop(); blobId; blobId = dropped.pop()) {
      try {
        await mediaStore.remove(blobId);
        await forgetBlob(db, blobId);
      } catch (error) {
        log.warn({ err: error }, "Bytes of a deleted file go later.");
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, removeOne));
}
