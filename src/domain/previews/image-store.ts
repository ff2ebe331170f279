import { MatrixError } from "../../core/errors.ts";
import { findImageSize } from "../../core/image-size.ts";
import { mxcOf } from "../../core/mxc.ts";
import type { Edges } from "../../edges.ts";
import { uploadFile } from "../media/upload.ts";
import { PageError } from "./page-error.ts";
import type { StoreImage } from "./page-image.ts";

type Needs = Parameters<typeof uploadFile>[0] & Pick<Edges, "settings">;

/** Keeps images of pages as files of who asked for the preview, within that user's bounds. */
export function imageStoreOf(edges: Needs, userId: string): StoreImage {
  return async ({ bytes, contentType }) => {
    try {
      const mediaId = await uploadFile(edges, userId, {
        contentType,
        fileName: undefined,
        length: bytes.length,
        content: whole(bytes),
      });
      const mxc = mxcOf(edges.settings.serverName, mediaId);
      return { mxc, ...findImageSize(bytes) };
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause;
      throw new PageError("The image cannot be kept.", { cause });
    }
  };
}

async function* whole(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
