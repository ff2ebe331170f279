import { isShownInline, UNKNOWN_TYPE } from "../../core/media-type.ts";
import { readBlob } from "./blobs.ts";
import { findFile, type Wanted } from "./find-file.ts";
import type { FileNeeds } from "./found-file.ts";
import type { ServedFile } from "./served-file.ts";

/** @throws MatrixError M_NOT_FOUND, M_NOT_YET_UPLOADED, M_FORBIDDEN */
export async function downloadFile(
  edges: FileNeeds,
  wanted: Wanted,
): Promise<ServedFile> {
  const file = await findFile(edges, wanted);
  const { name, row, size } = file;
  const contentType = row.contentType ?? UNKNOWN_TYPE;
  return {
    size,
    contentType,
    isInline: isShownInline(contentType, row.sniffedType),
    fileName: name,
    tag: row.mediaId,
    read: (start, end) => readBlob(edges, file, start, end),
  };
}
