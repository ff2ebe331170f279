import { MatrixError } from "../../core/errors.ts";
import { essenceOf, UNKNOWN_TYPE } from "../../core/media-type.ts";
import type { Edges } from "../../edges.ts";
import { setScan } from "../../storage/media.ts";
import { readBlob } from "./blobs.ts";
import type { FileNeeds, FoundFile } from "./found-file.ts";

type Verdict = "clean" | "refused";
type Asks = Pick<Edges, "egress" | "log" | "mediaStore" | "settings">;

/** What a scanner answers over HTTP about a file that may be delivered, or must not be. */
const VERDICTS: ReadonlyMap<number, Verdict> = new Map([
  [200, "clean"],
  [406, "refused"],
]);

/**
 * Asks the scanner about a file that it has not seen, if there is a scanner. What
 * it cannot say now is asked again at the next download; until then nobody gets it.
 * @throws MatrixError M_FORBIDDEN, M_CONNECTION_FAILED
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
  const verdict = await ask(edges, url, file);
  if (verdict === undefined) {
    throw new MatrixError(
      "M_CONNECTION_FAILED",
      "This file could not be scanned. Try again later.",
    );
  }
  await setScan(edges.db, file.row.mediaId, verdict);
  return verdict === "clean";
}

async function ask(
  edges: Asks,
  url: string,
  file: FoundFile,
): Promise<Verdict | undefined> {
  const contentType = essenceOf(file.row.contentType ?? UNKNOWN_TYPE);
  const isIcap = url.startsWith("icap:");
  try {
    return isIcap
      ? await askByIcap(edges, url, file, contentType)
      : await askByHttp(edges, url, file, contentType);
  } catch (error) {
    edges.log.error({ err: error }, "the scanner of files does not answer");
    return undefined;
  }
}

async function askByHttp(
  edges: Asks,
  url: string,
  file: FoundFile,
  contentType: string,
): Promise<Verdict | undefined> {
  const { status } = await edges.egress.request({
    url,
    purpose: "scan",
    method: "POST",
    headers: {
      "content-type": contentType,
      "content-length": String(file.size),
    },
    body: readBlob(edges, file),
  });
  const verdict = VERDICTS.get(status);
  if (verdict === undefined)
    edges.log.error({ status }, "the scanner of files does not answer");
  return verdict;
}

function askByIcap(
  edges: Asks,
  url: string,
  file: FoundFile,
  contentType: string,
): Promise<Verdict> {
  const { serverName } = edges.settings;
  const name = [serverName, file.row.mediaId].map(encodeURIComponent).join("/");
  return edges.egress.scan({
    url,
    resource: `https://${serverName}/_matrix/client/v1/media/download/${name}`,
    contentType,
    size: file.size,
    body: readBlob(edges, file),
  });
}
