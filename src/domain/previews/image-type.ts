/** How the images begin that every client shows. What a server calls them is no proof. */
const BEGINNINGS: readonly (readonly [
  type: string,
  at: number,
  bytes: string,
])[] = [
  ["image/png", 0, "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", 0, "\xff\xd8\xff"],
  ["image/gif", 0, "GIF87a"],
  ["image/gif", 0, "GIF89a"],
  ["image/webp", 8, "WEBPVP8"],
  ["image/avif", 4, "ftypavif"],
  ["image/avif", 4, "ftypavis"],
];

/** The type of an image by its bytes; undefined for all else. */
export const imageTypeOf = (bytes: Buffer): string | undefined =>
  BEGINNINGS.find(
    ([, at, beginning]) =>
      bytes.toString("latin1", at, at + beginning.length) === beginning,
  )?.[0];
