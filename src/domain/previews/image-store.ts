import { MatrixError } from "../../core/errors.ts";
import { findImageSize } from "../../core/image-size.ts";
import { mxcOf } from "../../core/mxc.ts";
import type { Edges } from "../../edges.ts";
import { uploadFile } from "../media/upload.ts";
import type { StoreImage } from "./page-image.ts";
import { PageError } from "./page-error.ts";

type Needs = Parameters<typeof uploadFile>[0] & Pick<Edges, "settings">;

/** A user's images of pages are files of that user; one without room for them has none. */
export const imageStoreOf =
  (edges: Needs, userId: string): StoreImage =>
  async ({ bytes, contentType }) => {
    const upload = {
      contentType,
      fileName: undefined,
      length: bytes.length,
      content: once(bytes),
    };
    try {
      const mediaId = await uploadFile(edges, userId, upload);
      const mxc = mxcOf(edges.settings.serverName, mediaId);
      return { mxc, ...findImageSize(bytes) };
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      throw new PageError(error.message);
    }
  };

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
