import type { WriteRows } from "../../storage/write.ts";

/** That an event names these media, for the write that it commits in. */
export const referencesTo = (
  mediaIds: readonly string[],
  nid: number,
): Pick<WriteRows, "mediaReferences"> => ({
  mediaReferences: mediaIds.map((mediaId) => ({ nid, mediaId })),
});
