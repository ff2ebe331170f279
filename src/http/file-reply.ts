import type { ServedFile } from "../domain/media/served-file.ts";
import { parseRange } from "./byte-range.ts";
import { contentDisposition } from "./content-disposition.ts";
import type { RequestInfo } from "./endpoint.ts";
import { reply, type Reply } from "./reply.ts";

/** "sandbox" runs nothing, whatever a file is taken for. */
const SAFETY = {
  "Content-Security-Policy":
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * A file, a part of it, or that it is the same as before.
 * https://spec.matrix.org/v1.19/client-server-api/#security-considerations-for-the-content-repository
 */
export function fileReply(
  headers: RequestInfo["headers"],
  file: ServedFile,
  isPublic: boolean,
): Reply {
  const tag = `"${file.tag}"`;
  const shared = {
    ...SAFETY,
    ETag: tag,
    // Bytes never change; whoever needs a token for them shares them with nobody.
    "Cache-Control": `${isPublic ? "public" : "private"}, max-age=${YEAR_SECONDS}, immutable`,
    "Accept-Ranges": "bytes",
  };
  if (isAmong(textOf(headers["if-none-match"]), tag))
    return reply({ status: 304, headers: shared, body: "" });
  const isSame = [undefined, tag].includes(textOf(headers["if-range"]));
  const asked = isSame ? textOf(headers["range"]) : undefined;
  const range = parseRange(asked, file.size);
  const { start, end } = range ?? { start: 0, end: file.size };
  return reply({
    status: range ? 206 : 200,
    headers: {
      ...shared,
      "Content-Type": file.contentType,
      "Content-Disposition": contentDisposition(file.isInline, file.fileName),
      "Content-Length": String(end - start),
      ...(range && {
        "Content-Range": `bytes ${start}-${end - 1}/${file.size}`,
      }),
    },
    file: () => file.read(start, end),
  });
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(",") : header;

/** A weak tag stands for the same bytes here. */
const isAmong = (header: string | undefined, tag: string): boolean =>
  (header ?? "")
    .split(",")
    .map((each) => each.trim().replace(/^W\//, ""))
    .some((each) => each === tag || each === "*");
