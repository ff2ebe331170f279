import type { StoreImage } from "./page-image.ts";

/** How a user's images of pages are kept; undefined where nothing keeps files. */
export function findImageStore(
  _edges: object,
  _userId: string,
): StoreImage | undefined {
  return undefined;
}
