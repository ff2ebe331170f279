import { MatrixError } from "../../core/errors.ts";
import { essenceOf, UNKNOWN_TYPE } from "../../core/media-type.ts";
import type { Edges } from "../../edges.ts";
import { setScan } from "../../storage/media.ts";
import { readBlob } from "./blobs.ts";
import type { FileNeeds, FoundFile } from "./found-file.ts";

/** What a scanner answers about a file that must not be delivered. */
const REFUSED = 406;

/**
 * Asks the scanner about a file that it has not seen, if there is a scanner. What
 * it cannot say now is asked again at the next download; until then nobody gets it.
 * @throws MatrixError M_FORBIDDEN, M_UNKNOWN
 */
export async function assertScanned(
  edges: FileNeeds,
  file: FoundFile,
): Promise<void> {
  const { scanUrl } = edges.settings.media;
  if (scanUrl === undefined || file.row.scan === "clean") return;
  if (file.row.scan === null && (await isClean(edges, scanUrl, file))) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "The scanner of this server refuses this file.",
  );
}

async function isClean(
  edges: FileNeeds,
  url: string,
  file: FoundFile,
): Promise<boolean> {
  const status = await ask(edges, url, file);
  const isRefused = status === REFUSED;
  if (!isRefused && status !== 200) {
    edges.log.error({ status }, "the scanner of files does not answer");
    throw new MatrixError(
      "M_CONNECTION_FAILED",
      "This file could not be scanned. Try again later.",
    );
  }
  const verdict = isRefused ? "refused" : "clean";
  await setScan(edges.db, file.row.mediaId, verdict);
  return !isRefused;
}

async function ask(
  edges: Pick<Edges, "egress" | "log" | "mediaStore">,
  url: string,
  file: FoundFile,
): Promise<number | undefined> {
  try {
    const answer = await edges.egress.request({
      url,
      purpose: "scan",
      method: "POST",
      headers: {
        "content-type": essenceOf(file.row.contentType ?? UNKNOWN_TYPE),
        "content-length": String(file.size),
      },
      body: readBlob(edges, file),
    });
    return answer.status;
  } catch (error) {
    edges.log.warn({ err: error }, "a file could not be scanned");
    return undefined;
  }
}
