import type { Edges } from "../../edges.ts";
import {
  claimLostBlobs,
  deleteExpiredPending,
  forgetBlob,
} from "../../storage/media.ts";
import type { Job } from "./job.ts";

const BLOBS_AT_ONCE = 50;
const IDS_AT_ONCE = 1000;

/**
 * Takes away the bytes that belong to no medium: of uploads that a crash ended, and of
 * media that were deleted. Also the ids that nobody uploaded to in time.
 */
export const clearMedia: Job<Pick<Edges, "db" | "mediaStore" | "now">> = {
  name: "clear media",
  restMs: 5 * 60 * 1000,
  async step({ db, mediaStore, now }, lease) {
    const ids = await deleteExpiredPending(db, lease, now(), IDS_AT_ONCE);
    const blobs = await claimLostBlobs(db, lease, BLOBS_AT_ONCE);
    const remove = async (blobId: string): Promise<void> => {
      await mediaStore.remove(blobId);
      await forgetBlob(db, blobId);
    };
    await Promise.all(blobs.map(remove));
    return ids === IDS_AT_ONCE || blobs.length === BLOBS_AT_ONCE;
  },
};
