import type { Config } from "./config/schema.ts";
import { createFolderStore } from "./storage/media-folder.ts";
import type { BlobStore } from "./util/blob-store.ts";

export interface ComposedMediaStore {
  store: BlobStore;
  close(): void;
}

/** @param folder where files stand unless the settings say otherwise */
export async function composeMediaStore(
  media: Config["media"],
  folder: string,
): Promise<ComposedMediaStore> {
  if (media.store === "folder") {
    const store = createFolderStore(media.folder ?? folder);
    return { store, close: () => undefined };
  }
  // Its client takes long to load, and few need it.
  const { createS3Store } = await import("./remote/media-s3.ts");
  const { accessKeyId, bucket, endpoint, prefix, region } = media.s3;
  const { pathStyle, secretAccessKey } = media.s3;
  const store = createS3Store({
    ...{ bucket: bucket!, prefix, region, isPathStyle: pathStyle },
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey && {
        credentials: {
          accessKeyId,
          secretAccessKey: secretAccessKey.reveal(),
        },
      }),
  });
  return { store, close: () => store.close() };
}
