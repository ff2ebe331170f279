import { isShownInline, UNKNOWN_TYPE } from "../../core/media-type.ts";
import type { Edges } from "../../edges.ts";
import { whileAllowed } from "../policies/while-allowed.ts";
import { readBlob } from "./blobs.ts";
import { countDownload } from "./count-downloads.ts";
import { findFile, type Wanted } from "./find-file.ts";
import type { FileNeeds } from "./found-file.ts";
import type { ServedFile } from "./served-file.ts";

/**
 * @param userId who fetches it, where that is known
 * @throws MatrixError M_NOT_FOUND, M_NOT_YET_UPLOADED, M_FORBIDDEN
 */
export async function downloadFile(
  edges: FileNeeds & Pick<Edges, "memory" | "now" | "settings">,
  wanted: Wanted,
  userId?: string,
): Promise<ServedFile> {
  const file = await findFile(edges, wanted);
  const { name, row, size } = file;
  if (userId !== undefined)
    countDownload(edges, userId, { mediaId: row.mediaId, size });
  const contentType = row.contentType ?? UNKNOWN_TYPE;
  return {
    size,
    contentType,
    isInline: isShownInline(contentType, row.sniffedType),
    fileName: name,
    tag: row.mediaId,
    read: (start, end) =>
      whileAllowed(edges, row.mediaId, readBlob(edges, file, start, end)),
  };
}
