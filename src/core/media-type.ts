/** How a file begins, for the types that are told by it. */
const MAGIC: readonly (readonly [type: string, bytes: string])[] = [
  ["image/png", "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", "\xff\xd8\xff"],
  ["image/gif", "GIF87a"],
  ["image/gif", "GIF89a"],
  ["application/pdf", "%PDF-"],
  ["application/zip", "PK\x03\x04"],
  ["application/gzip", "\x1f\x8b\x08"],
  ["video/webm", "\x1aE\xdf\xa3"],
  ["audio/ogg", "OggS"],
  ["audio/flac", "fLaC"],
  ["audio/mpeg", "ID3"],
  ["audio/mpeg", "\xff\xfb"],
];

/** What stands in the second box of a RIFF file. */
const RIFF: Readonly<Record<string, string>> = {
  WEBP: "image/webp",
  WAVE: "audio/wav",
};

/** Major brands of ISO media files; any other one is a video. */
const BRANDS: Readonly<Record<string, string>> = {
  avif: "image/avif",
  avis: "image/avif",
  heic: "image/heic",
  heix: "image/heic",
  mif1: "image/heic",
  "qt  ": "video/quicktime",
  "M4A ": "audio/mp4",
};

/** How many bytes of a file `sniffType` wants to see. */
export const SNIFFED_BYTES = 1024;

/** The type that a file's first bytes speak of, whatever its uploader says. */
export function sniffType(head: Uint8Array): string | null {
  const text = Buffer.from(head.subarray(0, SNIFFED_BYTES)).toString("latin1");
  const riff = text.startsWith("RIFF") ? RIFF[text.slice(8, 12)] : undefined;
  if (riff !== undefined) return riff;
  if (text.slice(4, 8) === "ftyp")
    return BRANDS[text.slice(8, 12)] ?? "video/mp4";
  for (const [type, bytes] of MAGIC) if (text.startsWith(bytes)) return type;
  return isText(head) ? "text/plain" : null;
}

function isText(head: Uint8Array): boolean {
  const seen = head.subarray(0, SNIFFED_BYTES);
  const isControl = (byte: number) =>
    byte === 0x7f || (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d));
  if (seen.length === 0 || seen.some(isControl)) return false;
  try {
    // What is cut off at the end is no fault.
    new TextDecoder("utf-8", { fatal: true }).decode(seen, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/**
 * "The server … SHOULD return inline for the following content types"
 * https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content
 */
const INLINE = new Set([
  ...["text/css", "text/plain", "text/csv"],
  ...["application/json", "application/ld+json"],
  ...["image/jpeg", "image/gif", "image/png", "image/apng"],
  ...["image/webp", "image/avif"],
  ...["video/mp4", "video/webm", "video/ogg", "video/quicktime"],
  ...["audio/mp4", "audio/webm", "audio/aac", "audio/mpeg", "audio/ogg"],
  ...["audio/wave", "audio/wav", "audio/x-wav", "audio/x-pn-wav"],
  ...["audio/flac", "audio/x-flac"],
]);

/** Of `type/subtype; parameter=value` the first part, in lower case. */
export const essenceOf = (type: string): string =>
  (type.split(";")[0] ?? "").trim().toLowerCase();

/** Whether a browser may show it in its place; an image that is none never. */
export function isShownInline(type: string, sniffed: string | null): boolean {
  const essence = essenceOf(type);
  if (!INLINE.has(essence)) return false;
  if (!essence.startsWith("image/")) return true;
  return sniffed === (essence === "image/apng" ? "image/png" : essence);
}

const TYPE =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[\x20-\x7e]*)?$/;
const MAX_LENGTH = 255;

export const UNKNOWN_TYPE = "application/octet-stream";

/** The type that an uploader says, if it has the form of one. */
export const parseType = (type: string | undefined): string | undefined =>
  type !== undefined && type.length <= MAX_LENGTH && TYPE.test(type)
    ? type
    : undefined;
