export type ThumbnailMethod = "crop" | "scale";

/** Why there is none of a file: it is no image that is decoded, or one of too much, or it is not the time. */
export type ThumbnailFailure = "undecodable" | "too-large" | "busy";

export interface ThumbnailSize {
  width: number;
  height: number;
}

/**
 * The sizes that thumbnails have, smallest first: those of the specification's table.
 * https://spec.matrix.org/v1.19/client-server-api/#thumbnails
 */
const SIZES: readonly ThumbnailSize[] = [
  { width: 32, height: 32 },
  { width: 96, height: 96 },
  { width: 320, height: 240 },
  { width: 640, height: 480 },
  { width: 800, height: 600 },
];

/** The smallest size that is not smaller than what is wished for, else the largest. */
export function pickSize(wish: ThumbnailSize): ThumbnailSize {
  const fits = ({ width, height }: ThumbnailSize) =>
    width >= wish.width && height >= wish.height;
  return SIZES.find(fits) ?? SIZES.at(-1)!;
}
