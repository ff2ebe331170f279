import { sniffType } from "../../core/media-type.ts";
import type { Edges } from "../../edges.ts";
import { EgressError } from "../../remote/egress-error.ts";
import { readWhole, type PageCalls } from "./page-calls.ts";
import { PageError } from "./page-error.ts";

export const MAX_IMAGE_BYTES = 10 * 1024 * 1024;
/** A page whose first images are gone has seldom a later one that is good. */
const MOST_TRIED = 3;

/** What every client shows. What a page's server calls its images is no proof. */
const SHOWN: ReadonlySet<string | null> = new Set([
  ...["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"],
]);

/** Keeps an image as a file of this server's. */
export type StoreImage = (image: {
  bytes: Buffer;
  contentType: string;
}) => Promise<{ mxc: string; width?: number; height?: number }>;

/** What a preview tells of its image. */
export type ImageFields = Readonly<Record<string, string | number>>;

/** The first of these images that can be had. */
export async function fetchImage(
  { log }: Pick<Edges, "log">,
  calls: PageCalls,
  store: StoreImage,
  urls: readonly string[],
): Promise<ImageFields> {
  for (const url of urls.slice(0, MOST_TRIED)) {
    try {
      const answer = await calls.open(url, "image/*");
      const bytes = await readWhole(answer, MAX_IMAGE_BYTES);
      const fields = await storeImage(store, bytes);
      if (fields) return fields;
    } catch (error) {
      if (!(error instanceof EgressError || error instanceof PageError))
        throw error;
      log.debug({ reason: error.message }, "an image of a page is left out");
    }
  }
  return {};
}

/** Undefined for what is no image that clients show. */
export async function storeImage(
  store: StoreImage,
  bytes: Buffer,
): Promise<ImageFields | undefined> {
  const contentType = sniffType(bytes);
  if (contentType === null || !SHOWN.has(contentType)) return undefined;
  const { mxc, width, height } = await store({ bytes, contentType });
  return {
    "og:image": mxc,
    "og:image:type": contentType,
    "matrix:image:size": bytes.length,
    ...(width !== undefined && { "og:image:width": width }),
    ...(height !== undefined && { "og:image:height": height }),
  };
}
