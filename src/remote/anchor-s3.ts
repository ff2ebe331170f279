import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { AuditSink } from "../util/audit-sinks.ts";
import type { S3Options } from "./media-s3.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A bucket with object lock: what was put there is deleted by nobody before its time. */
export function createAnchorBucket(
  options: S3Options & { retentionDays: number; now(): number },
): AuditSink & { close(): void } {
  const { bucket, credentials, endpoint, prefix, now } = options;
  const client = new S3Client({
    region: options.region,
    forcePathStyle: options.isPathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 4_000, socketTimeout: 10_000 },
  });
  return {
    name: `s3 ${endpoint ?? options.region} ${bucket} ${prefix}`,
    async take(lines) {
      for (const { seq, text } of lines) {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: `${prefix}checkpoint-${String(seq).padStart(15, "0")}.json`,
            Body: `${text}\n`,
            ContentType: "application/json",
            // A lock is taken with a checksum alone.
            ChecksumAlgorithm: "SHA256",
            ObjectLockMode: "COMPLIANCE",
            ObjectLockRetainUntilDate: new Date(
              now() + options.retentionDays * DAY_MS,
            ),
          }),
        );
      }
    },
    close: () => client.destroy(),
  };
}
