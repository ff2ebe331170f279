import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchKey,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { BlobDamaged, type BlobStore } from "../util/blob-store.ts";
import { uploadObject } from "./s3-upload.ts";

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
  const isSigned = crossesOpenNetwork(endpoint);

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
    put: (name, content) =>
      uploadObject(client, { Bucket, Key: keyOf(name) }, content, isSigned),

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

/** TLS has a tag for each record of its own, and what stays on the machine needs none. */
function crossesOpenNetwork(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return false;
  const { hostname, protocol } = new URL(endpoint);
  return protocol === "http:" && !LOOPBACK.test(hostname);
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
