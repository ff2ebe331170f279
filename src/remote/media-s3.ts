import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchKey,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { BlobDamaged, type BlobStore } from "../util/blob-store.ts";

export interface S3Options {
  /** Amazon's for the region, unless told. */
  endpoint?: string;
  region: string;
  bucket: string;
  /** What stands before each name. */
  prefix: string;
  /** The bucket stands in the path, not in the host name. */
  isPathStyle: boolean;
  /** Those of the environment, unless told. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/** Each upload holds two parts in memory. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

/** Blobs as objects of a bucket. */
export function createS3Store(
  options: S3Options,
): BlobStore & { close(): void } {
  const { bucket: Bucket, credentials, endpoint } = options;
  const client = new S3Client({
    region: options.region,
    forcePathStyle: options.isPathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    // What is sealed has tags of its own, and many stores know no other checksums.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 4_000, socketTimeout: 30_000 },
  });
  const keyOf = (name: string) => `${options.prefix}${name}`;

  /** Parts of what was begun and never finished cost as much as a file. */
  const abortUnfinished = async (Key: string): Promise<void> => {
    const { Uploads = [] } = await client.send(
      new ListMultipartUploadsCommand({ Bucket, Prefix: Key }),
    );
    for (const { UploadId } of Uploads)
      await client.send(
        new AbortMultipartUploadCommand({ Bucket, Key, UploadId }),
      );
  };

  return {
    async put(name, content) {
      let failed: { why: unknown } | undefined;
      async function* watched() {
        try {
          yield* content;
        } catch (why) {
          failed = { why };
          throw why;
        }
      }
      const upload = new Upload({
        client,
        params: {
          Bucket,
          Key: keyOf(name),
          Body: Readable.from(watched(), { objectMode: false }),
        },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
      });
      // That an upload is given up may fail too, and is not what went wrong.
      await upload.done().catch((error: unknown) => {
        throw failed ? failed.why : error;
      });
    },

    async *read(name, start, length) {
      if (length === 0) return;
      const Range = `bytes=${start}-${start + length - 1}`;
      const found = await client
        .send(new GetObjectCommand({ Bucket, Key: keyOf(name), Range }))
        .catch((cause: unknown) => {
          if (!(cause instanceof NoSuchKey)) throw cause;
          throw new BlobDamaged("A blob is missing.", { cause });
        });
      let left = length;
      for await (const chunk of found.Body as Readable) {
        const bytes = chunk as Uint8Array;
        left -= bytes.length;
        yield bytes;
      }
      if (left > 0) throw new BlobDamaged("A blob ends too early.");
    },

    async remove(name) {
      const Key = keyOf(name);
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
      await abortUnfinished(Key).catch((error: unknown) => {
        if (!isNotImplemented(error)) throw error;
      });
    },

    close: () => client.destroy(),
  };
}

/** Such a store ends unfinished uploads by a rule of its own, or has none. */
const isNotImplemented = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  [405, 501].includes(error.$metadata.httpStatusCode ?? 0);
