import { HttpError } from "./http-error.ts";

/** A part of a file; `end` is the first byte after it. */
export interface ByteRange {
  start: number;
  end: number;
}

const ONE = /^bytes=[ \t]*([0-9]{0,15})-([0-9]{0,15})[ \t]*$/i;

/**
 * The one part that a Range header asks for. Undefined for the whole: of several
 * parts, and of what is no range, a server may answer all.
 * @throws HttpError 416
 * https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | undefined {
  const [, first = "", last = ""] = ONE.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first))
    return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end =
    first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (start < end) return { start, end };
  throw new HttpError(
    416,
    "M_INVALID_PARAM",
    "The file has no such range of bytes.",
    { "Content-Range": `bytes */${size}` },
  );
}
